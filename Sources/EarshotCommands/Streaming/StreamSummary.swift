/// The answer of `earshot stream --json`.
struct StreamSummary: Encodable, Equatable {
    let sessions: [StreamResult]
    let completed: Int
    let failed: Int
    /// The length of the recording.
    let audioSeconds: Double
    /// From the first start to the last end.
    let elapsedSeconds: Double
    /// Why no device was started at all, such as a file that cannot be read.
    var error: String?
}
