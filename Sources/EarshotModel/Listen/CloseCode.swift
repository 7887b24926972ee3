/// The WebSocket close codes a device can see, and what each stands for (omi.md 1.3).
package enum CloseCode: UInt16, Sendable {
    /// The client closed; its code is echoed.
    case normal = 1000
    /// The server goes, or heard nothing for too long; the client reconnects.
    case goingAway = 1001
    /// The codec, rate or channel count is not served; the client must not retry.
    case unsupported = 1003
    /// The user, the token or the language is refused; the client must not retry.
    case policy = 1008
    /// A message was larger than the limit.
    case tooLarge = 1009
    /// Something unexpected failed; the client may retry.
    case internalError = 1011
    /// A frame broke RFC 6455.
    case protocolError = 1002
    /// A text message was not UTF-8.
    case invalidData = 1007
    /// `/v1/stream` only: the gateway restarts, or the session was ended elsewhere; the client resumes.
    case serviceRestart = 1012
    /// `/v1/stream` only: the gateway or its store cannot keep up; the client resumes later.
    case tryAgainLater = 1013
    /// `/v1/stream` only: another connection resumed the session; the client must not retry.
    case takenOver = 4009

    /// The longest reason RFC 6455 allows, in UTF-8 bytes.
    package static let reasonBytesMaximum = 123

    /// Cuts a reason to what a close frame can carry, at a character's boundary.
    package static func trimmed(_ reason: String) -> String {
        var reason = reason
        while reason.utf8.count > reasonBytesMaximum { reason.removeLast() }
        return reason
    }
}
