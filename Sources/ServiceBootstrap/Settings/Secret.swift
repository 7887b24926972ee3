/// A value that must not appear in logs: printing or describing it shows nothing.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps the value.
    package init(_ value: String) {
        self.value = value
    }

    /// The value itself; the only way to it, so that its uses can be found.
    package var revealed: String { value }

    /// Says that there is a secret, and no more.
    package var description: String { "<secret>" }
    /// Says that there is a secret, and no more.
    package var debugDescription: String { "<secret>" }
    /// Keeps `dump` from looking inside.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
