/// A failure to open or to use a device's connection.
///
/// The message says what went wrong and, for wrong arguments, what is allowed. Two errors are equal when their codes
/// are.
package struct DeviceConnectionError: Error, Equatable, CustomStringConvertible {
    /// The kind of failure.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case invalidAddress
            case invalidHeader
            case connectFailed
            case refused
            case handshakeFailed
            case timedOut
            case closed
            case cancelled
        }

        private let kind: Kind

        /// The URL is not one of a `ws://` endpoint.
        package static let invalidAddress = Self(kind: .invalidAddress)
        /// A header has a name or a value that HTTP does not allow.
        package static let invalidHeader = Self(kind: .invalidHeader)
        /// No TCP connection came about.
        package static let connectFailed = Self(kind: .connectFailed)
        /// The server answered the upgrade with an HTTP status; see `refusal`.
        package static let refused = Self(kind: .refused)
        /// The server's answer to the upgrade was not HTTP or not a WebSocket's, or the connection ended before it.
        package static let handshakeFailed = Self(kind: .handshakeFailed)
        /// Connecting took longer than `DeviceClientLimits.connectTimeout`.
        package static let timedOut = Self(kind: .timedOut)
        /// The connection is closed or closing: nothing can be sent.
        package static let closed = Self(kind: .closed)
        /// The task was cancelled.
        package static let cancelled = Self(kind: .cancelled)

        package var description: String { kind.rawValue }
    }

    /// The kind of failure.
    package let code: Code
    /// What went wrong, for people.
    package let message: String
    /// The server's answer, when the code is `refused`.
    package let refusal: UpgradeRefusal?

    init(_ code: Code, _ message: String, refusal: UpgradeRefusal? = nil) {
        self.code = code
        self.message = message
        self.refusal = refusal
    }

    /// Compares the codes only: the message is for people.
    package static func == (left: Self, right: Self) -> Bool {
        left.code == right.code
    }

    package var description: String { "\(code): \(message)" }
}
