/// How an upload ended.
package enum UploadOutcome: Sendable, Equatable {
    /// Everything was acknowledged, the results were waited for, and the device closed.
    case completed
    /// Another connection resumed the session: this one must not come back.
    case takenOver
    /// The server closed with a code after which a device must not come back.
    case closedByServer(code: UInt16)
    /// The server refused the upgrade with a status after which a device must not come back.
    case refused(status: Int)
    /// No session came about for the whole of the configuration's patience.
    case unreachable
    /// The source is at its end, and the server did not acknowledge all of it in time.
    case unacknowledged
    /// The server said something that cannot be.
    case brokenProtocol
}
