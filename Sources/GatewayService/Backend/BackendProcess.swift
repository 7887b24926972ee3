/// What a 104 asks: to complete a conversation (omi.md 2.3).
///
/// Keys of providers that come with it are looked at for their types only.
struct BackendProcess: Decodable {
    /// The id as it came, for the answer.
    let conversation: String
    let job: String?
    /// The generation of the job's dispatch, which the answer repeats.
    let generation: Int?
    /// The conversation's, if it is one.
    let language: String?
    /// Whether a field beside the id has another type than the contract's; it counts as missing then.
    let isMistyped: Bool

    private enum CodingKeys: String, CodingKey {
        case conversation = "conversation_id"
        case job = "finalization_job_id"
        case generation = "dispatch_generation"
        case language
        case keys = "byok_keys"
        case resultProtocol = "finalization_result_protocol"
    }

    init(conversation: String, job: String?, generation: Int?) {
        self.conversation = conversation
        self.job = job
        self.generation = generation
        language = nil
        isMistyped = false
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        conversation = try fields.decode(String.self, forKey: .conversation)
        var isMistyped = false
        func optional<Value: Decodable>(_ type: Value.Type, _ key: CodingKeys) -> Value? {
            do {
                return try fields.decodeIfPresent(type, forKey: key)
            } catch {
                isMistyped = true
                return nil
            }
        }
        job = optional(String.self, .job)
        generation = optional(Int.self, .generation)
        language = optional(String.self, .language).flatMap { Self.isLanguage($0) ? $0 : nil }
        _ = optional([String: String].self, .keys)
        _ = optional(Int.self, .resultProtocol)
        self.isMistyped = isMistyped
    }

    /// A tag of letters and hyphens; anything else says nothing.
    private static func isLanguage(_ text: String) -> Bool {
        (2...16).contains(text.utf8.count)
            && text.allSatisfy { $0 == "-" || $0.isASCII && $0.isLetter }
    }

    /// Whether a durable job of the sender stands behind it, as the newest generation demands.
    var isDurable: Bool { job?.isEmpty == false && (generation ?? 0) >= 1 }
}
