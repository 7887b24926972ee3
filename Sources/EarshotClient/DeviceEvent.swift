/// An event that the server sent: a JSON object with a `type`.
package struct DeviceEvent: Sendable, Equatable {
    /// The event's `type`, such as `service_status`.
    package let type: String
    /// The event's `status`, when it has one.
    package let status: String?
    /// The whole event as it came.
    package let json: String
    /// When it came, since the session's start.
    package let arrival: Duration
}
