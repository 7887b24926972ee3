import EarshotModel

/// Why a request is tried again later, and what becomes of it when that has lasted too long.
struct SampleDelay: Error, Equatable {
    let outcome: SpeakerSampleResult.Outcome
    let reason: String
    /// How long it may last, from the request on.
    let limit: Duration
}
