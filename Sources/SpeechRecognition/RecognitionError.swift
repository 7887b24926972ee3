/// A failure to recognise speech.
///
/// The code says what the caller does next, the message is for people. Two errors are equal when their codes are.
package struct RecognitionError: Error, Equatable, CustomStringConvertible {
    /// What the caller does next.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case rejectedInput
            case unavailable
            case superseded
            case cancelled
        }

        private let kind: Kind

        /// This audio fails, and would fail again: do not send it again.
        package static let rejectedInput = Self(kind: .rejectedInput)
        /// The recogniser cannot work now: the same audio may be sent again later.
        package static let unavailable = Self(kind: .unavailable)
        /// An interim request was dropped under load or for a newer one: forget it.
        package static let superseded = Self(kind: .superseded)
        /// The caller's task was cancelled.
        package static let cancelled = Self(kind: .cancelled)

        package var description: String { kind.rawValue }
    }

    /// What the caller does next.
    package let code: Code
    /// What was wrong and what is allowed, for people.
    package let message: String

    /// Creates an error of the given kind.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Compares the codes only: the message is for people.
    package static func == (left: Self, right: Self) -> Bool {
        left.code == right.code
    }

    package var description: String { "\(code): \(message)" }
}
