import EarshotModel
import NIOWebSocket

/// Why the gateway closes a session; here, and only here, a cause gets its close code.
///
/// `/v4/listen` only ever sends the contract's codes (omi.md 1.3), besides those RFC 6455 prescribes for broken frames.
enum CloseCause {
    /// What was asked for is not served; the parameters' check chose the contract's code.
    case notServed(CloseCode, String)
    /// The web path's first message did not authenticate.
    case notAuthenticated(String)
    /// A frame or a message broke RFC 6455 or was too large.
    case violation(WebSocketErrorCode, String)
    /// The store, or the gateway, cannot take the session now.
    case unavailable(String)
    /// No message for the inactivity limit.
    case inactive
    /// No message of a back end for its limit (omi.md 2.4).
    case silent
    /// The process drains for a restart.
    case draining

    /// The code the device sees.
    var code: CloseCode {
        switch self {
        case .notServed(let code, _): code
        case .notAuthenticated: .policy
        case .violation(.messageTooLarge, _): .tooLarge
        case .violation(.dataInconsistentWithMessage, _): .invalidData
        case .violation: .protocolError
        case .unavailable, .inactive, .draining: .goingAway
        case .silent: .internalError
        }
    }

    /// What the device is told.
    var reason: String {
        switch self {
        case .notServed(_, let reason), .notAuthenticated(let reason), .violation(_, let reason),
            .unavailable(let reason):
            reason
        case .inactive, .silent: "no message for too long"
        case .draining: "the gateway restarts; connect again"
        }
    }

    /// What the record says.
    var endReason: EndReason {
        switch self {
        case .notServed, .notAuthenticated, .violation: .protocolError
        case .unavailable: .overloaded
        case .inactive, .silent: .inactive
        case .draining: .gatewayDraining
        }
    }
}
