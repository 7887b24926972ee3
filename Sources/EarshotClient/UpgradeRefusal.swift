/// What a server answered when it refused a WebSocket upgrade.
package struct UpgradeRefusal: Sendable {
    /// The HTTP status, such as 401 or 503.
    package let status: Int
    /// The headers in the order they came.
    package let headers: [(name: String, value: String)]
    /// The text of the answer, at most `DeviceClientLimits.refusalBodyBytesMax` bytes of it.
    package let body: String

    /// How long the server asks to wait, when `Retry-After` gives it in seconds.
    package var retryAfter: Duration? {
        guard let seconds = header("retry-after").flatMap(UInt32.init) else { return nil }
        return .seconds(Int(seconds))
    }

    /// Returns the first value of a header, whatever the case of its name.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
