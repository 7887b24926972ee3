import Crypto
package import HTTPTransport

/// The signature headers of Standard Webhooks 1.0 (operations.md 1.1).
package enum WebhookSignature {
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature` of one attempt.
    ///
    /// - Parameters:
    ///   - id: The delivery's id, the same for every attempt; holds no full stop.
    ///   - timestamp: Unix seconds of the attempt.
    ///   - body: What is sent.
    ///   - keys: Every key that is valid now, newest first; one signature each, separated by exactly one space.
    /// - Returns: The headers.
    package static func headers(id: String, timestamp: Int64, body: [UInt8], keys: [SigningKey]) -> [HTTPHeader] {
        [
            HTTPHeader(name: "webhook-id", value: id),
            HTTPHeader(name: "webhook-timestamp", value: String(timestamp)),
            HTTPHeader(name: "webhook-signature", value: value(id: id, timestamp: timestamp, body: body, keys: keys)),
        ]
    }

    /// Headers that let a receiver verify a body that is no text.
    ///
    /// The libraries of Standard Webhooks take a body for UTF-8. They can verify the digest in its place: the second
    /// header signs `{id}.{timestamp}.{digest}` with the same keys.
    package static func digestHeaders(
        id: String, timestamp: Int64, body: [UInt8], keys: [SigningKey]
    ) -> [HTTPHeader] {
        let digest = hexadecimal(SHA256.hash(data: body))
        return [
            HTTPHeader(name: "Earshot-Content-SHA256", value: digest),
            HTTPHeader(
                name: "Earshot-Digest-Signature",
                value: value(id: id, timestamp: timestamp, body: Array(digest.utf8), keys: keys)),
        ]
    }

    static func value(id: String, timestamp: Int64, body: [UInt8], keys: [SigningKey]) -> String {
        let message = Array("\(id).\(timestamp).".utf8) + body
        return keys.map { $0.signature(of: message) }.joined(separator: " ")
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let alphabet = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [alphabet[Int($0 >> 4)], alphabet[Int($0 & 15)]] }, as: UTF8.self)
    }
}
