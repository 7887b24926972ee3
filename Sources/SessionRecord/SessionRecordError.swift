/// Why the record could not be written or read.
package struct SessionRecordError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed set of causes.
    package enum Code: String, Sendable {
        /// The database is away or overloaded; try again.
        case unavailable
        /// The database refuses this content; trying again will not help.
        case refused
    }

    package let code: Code
    package let message: String

    /// Makes an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Code and message.
    package var description: String { "\(code.rawValue): \(message)" }
}
