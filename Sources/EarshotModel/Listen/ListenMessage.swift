import FoundationEssentials

/// The text messages a gateway sends on its own, in the shapes of omi.md 1.7.
package enum ListenMessage {
    /// The literal keep-alive.
    package static let ping = "ping"

    /// The steps of a session's start, in their order.
    ///
    /// The contract's `stt_failed` is not among them: no transcriber hangs on a socket (docs/adr/0010).
    package enum Status: String, Sendable {
        case initiating
        case inProgressConversationsProcessing = "in_progress_conversations_processing"
        case sttInitiating = "stt_initiating"
        case ready
    }

    /// `service_status`.
    package static func serviceStatus(_ status: Status, text: String? = nil) -> String {
        object([("type", "service_status"), ("status", status.rawValue), ("status_text", text)])
    }

    /// `conversation_session`, sent when the session's conversation is opened or continued.
    package static func conversationSession(conversation: String, recordingSession: SessionID) -> String {
        object([
            ("type", "conversation_session"), ("conversation_id", conversation), ("status", "in_progress"),
            ("recording_session_id", recordingSession.description),
        ])
    }

    /// `auth_response` of the web path.
    package static func authResponse(success: Bool) -> String {
        "{\"type\":\"auth_response\",\"success\":\(success)}"
    }

    /// `segments_deleted`.
    package static func segmentsDeleted(_ ids: [UniqueID]) -> String {
        "{\"type\":\"segments_deleted\",\"segment_ids\":[\(ids.map { "\"\($0)\"" }.joined(separator: ","))]}"
    }

    /// An object of strings without the absent ones; all are ours or validated ids, but are escaped anyway.
    private static func object(_ fields: [(String, String?)]) -> String {
        let pairs = fields.compactMap { name, value in value.map { "\"\(name)\":\(quoted($0))" } }
        return "{\(pairs.joined(separator: ","))}"
    }

    private static func quoted(_ text: String) -> String {
        guard let data = try? JSONEncoder().encode(text) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }
}
