import FoundationEssentials

/// What an endpoint of the Omi dialect may answer (omi.md 4.4).
package enum OmiReply {
    /// A message must have more characters than this to be one.
    package static let charactersMinimum = 5
    /// Characters of a message that are passed on: a notification is no document.
    package static let charactersMaximum = 2_000

    private struct Reply: Decodable {
        let message: String?
    }

    /// The message for the user; `nil` when the body is no JSON object with one that is long enough.
    package static func message(in body: [UInt8]) -> String? {
        guard !body.isEmpty, let reply = try? JSONDecoder().decode(Reply.self, from: Data(body)),
            let message = reply.message, message.count > charactersMinimum
        else { return nil }
        return String(message.prefix(charactersMaximum))
    }

    private struct Notice: Encodable {
        let type = "notification"
        let title: String
        let text: String
    }

    /// The text frame the user's open sessions get.
    package static func notification(title: String, message: String) -> String {
        WebhookBody.json(Notice(title: title, text: message))
    }
}
