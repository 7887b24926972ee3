/// Why a listen connection is refused, before or after the upgrade.
package enum ListenRefusal: Error, Equatable, Sendable {
    /// Answered as HTTP 400: a query value that cannot be read.
    case malformed(String)
    /// Answered after the upgrade with a close code and a reason of at most 123 bytes.
    case close(CloseCode, String)
}
