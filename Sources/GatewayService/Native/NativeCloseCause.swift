import EarshotModel
import NIOCore
import NIOWebSocket

/// Why a native connection is closed; here, and only here, a cause gets its close code (docs/protocol.md).
enum NativeCloseCause {
    /// The device closed; its code is echoed.
    case peer(UInt16?)
    /// What was asked for is not served; the parameters' check chose the contract's code.
    case notServed(CloseCode, String)
    /// A frame or a message broke RFC 6455 or this protocol, or was too large.
    case violation(WebSocketErrorCode, String)
    /// The store cannot take the session, or its audio, now.
    case unavailable(String)
    /// The session held more than it may for too long.
    case overloaded
    /// No message for the inactivity limit.
    case inactive
    /// The process drains for a restart; the device has a place in the schedule by which devices come again.
    case draining(comingAgain: NIODeadline?)
    /// Another connection resumed the session.
    case takenOver
    /// The session was ended by somebody else, or what was appended last does not count.
    case endedElsewhere
    /// Redis lost what had been acknowledged.
    case rolledBack

    /// The code the device sees.
    var code: WebSocketErrorCode {
        switch self {
        case .peer(let code): WebSocketErrorCode(codeNumber: Int(code ?? CloseCode.normal.rawValue))
        case .notServed(let code, _): Self.code(code)
        case .violation(let code, _): code
        case .unavailable, .overloaded: Self.code(.tryAgainLater)
        case .inactive: Self.code(.goingAway)
        case .draining, .endedElsewhere, .rolledBack: Self.code(.serviceRestart)
        case .takenOver: Self.code(.takenOver)
        }
    }

    private static func code(_ code: CloseCode) -> WebSocketErrorCode {
        WebSocketErrorCode(codeNumber: Int(code.rawValue))
    }

    /// What the device is told.
    var reason: String {
        switch self {
        case .peer: ""
        case .notServed(_, let reason), .violation(_, let reason), .unavailable(let reason): reason
        case .overloaded: "audio comes faster than it can be taken; resume later"
        case .inactive: "no message for too long"
        case .draining: "the gateway restarts; resume"
        case .takenOver: "another connection resumed the session"
        case .endedElsewhere: "the session was ended; resume"
        case .rolledBack: "the store lost messages; resume, and send again what is kept"
        }
    }

    /// What the record says.
    var endReason: EndReason {
        switch self {
        case .peer: .clientClosed
        case .notServed, .violation: .protocolError
        case .unavailable, .overloaded: .overloaded
        case .inactive: .inactive
        case .draining: .gatewayDraining
        case .takenOver: .superseded
        case .endedElsewhere: .internalError
        case .rolledBack: .redisRollback
        }
    }

    /// What `closing` says, where the device may come again; the pauses are spread, so that those who are closed
    /// together do not come together.
    func closing(_ limits: Limits) -> (reason: NativeMessage.Closing, retryAfter: Duration)? {
        switch self {
        case .peer, .notServed, .violation, .takenOver: nil
        case .unavailable, .overloaded: (.overloaded, limits.overloadPause * Double.random(in: 1...2))
        case .inactive: (.inactive, .zero)
        case .draining(let moment): (.draining, Self.pause(until: moment, limits))
        case .endedElsewhere, .rolledBack: (.ended, Self.pause(until: nil, limits))
        }
    }

    private static func pause(until moment: NIODeadline?, _ limits: Limits) -> Duration {
        let left = Duration.nanoseconds(moment.map { ($0 - .now()).nanoseconds } ?? 0)
        guard left > .zero else { return (limits.restartSpread - left) * Double.random(in: 0...1) }
        return left
    }
}
