/// What a 104 asks: to complete a conversation (omi.md 2.3).
///
/// Keys of providers that come with it are not read.
struct BackendProcess: Decodable {
    /// The id as it came, for the answer.
    let conversation: String
    let job: String?
    /// The generation of the job's dispatch, which the answer repeats.
    let generation: Int?

    private enum CodingKeys: String, CodingKey {
        case conversation = "conversation_id"
        case job = "finalization_job_id"
        case generation = "dispatch_generation"
    }

    /// Whether a durable job of the sender stands behind it, as the newest generation demands.
    var isDurable: Bool { job?.isEmpty == false && (generation ?? 0) >= 1 }
}
