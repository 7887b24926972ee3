/// Names one device's stream, from the accepted WebSocket to its end marker.
package struct SessionID: Hashable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    /// Wraps an id read from an entry or a key.
    package init(_ value: UniqueID) { self.value = value }

    /// Reads the UUID text form.
    package init?(_ text: some StringProtocol) {
        guard let value = UniqueID(text) else { return nil }
        self.value = value
    }

    /// Draws a new id, ordered by time of birth in Unix µs.
    package static func new(at microseconds: Int64) -> SessionID { SessionID(.timeOrdered(at: microseconds)) }

    /// The UUID text form.
    package var description: String { value.description }
}
