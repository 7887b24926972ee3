import FoundationEssentials

/// The text messages of `/v1/stream` to a device (docs/protocol.md); each is one JSON object with a `type`.
package enum NativeMessage {
    /// Why the server closes, where the device may come again.
    package enum Closing: String, Sendable {
        /// The gateway restarts.
        case draining
        /// The device, or the gateway's store, is too slow.
        case overloaded
        /// No message for too long.
        case inactive
        /// The session was ended elsewhere.
        case ended
    }

    /// `session`: what was opened, and the number of the message to go on with.
    package static func session(
        _ id: SessionID, conversation: String, isResumed: Bool, next: UInt64, durability: AckDurability
    ) -> String {
        "{\"type\":\"session\",\"session_id\":\"\(id)\",\"conversation_id\":\(quoted(conversation)),"
            + "\"resumed\":\(isResumed),\"next\":\(next),\"ack\":\"\(durability.rawValue)\"}"
    }

    /// `ack`: messages below a number have a durability.
    package static func acknowledgement(next: UInt64, durability: AckDurability) -> String {
        "{\"type\":\"ack\",\"next\":\(next),\"durability\":\"\(durability.rawValue)\"}"
    }

    /// `status`: the session takes audio, or does not for a while.
    package static func status(isReading: Bool) -> String {
        "{\"type\":\"status\",\"status\":\"\(isReading ? "ready" : "paused")\"}"
    }

    /// `closing`: the connection ends, and when the device may come again.
    package static func closing(_ reason: Closing, retryAfter: Duration) -> String {
        "{\"type\":\"closing\",\"reason\":\"\(reason.rawValue)\",\"retry_after_ms\":\(retryAfter.milliseconds)}"
    }

    /// A live result in the words of this endpoint, made of the text that `/v4/listen` gets.
    ///
    /// Nothing for what only the gateway acts on.
    package static func result(_ result: LiveResult) -> String? {
        switch result.kind {
        case .final, .interim:
            return "{\"type\":\"segment\",\"session_id\":\"\(result.session)\",\"final\":\(result.kind == .final),"
                + "\"segments\":\(result.text)}"
        case .withdrawn: return result.text
        case .taken: return nil
        case .message:
            let shape = try? JSONDecoder().decode(TypeOnly.self, from: Data(result.text.utf8))
            return switch shape?.type {
            case "segments_deleted": result.text
            case "speaker_label_suggestion": "{\"type\":\"speaker\",\"suggestion\":\(result.text)}"
            case .some: "{\"type\":\"notification\",\"event\":\(result.text)}"
            case nil: "{\"type\":\"notification\",\"text\":\(quoted(result.text))}"
            }
        }
    }

    private struct TypeOnly: Decodable {
        var type: String
    }

    private static func quoted(_ text: String) -> String {
        guard let data = try? JSONEncoder().encode(text) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }
}
