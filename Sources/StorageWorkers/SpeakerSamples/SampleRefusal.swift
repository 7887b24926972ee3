import EarshotModel

/// Why a request gives no sample.
struct SampleRefusal: Error, Equatable {
    let outcome: SpeakerSampleResult.Outcome

    init(_ outcome: SpeakerSampleResult.Outcome) { self.outcome = outcome }
}
