/// A failure of the embedded speech engine.
///
/// The message names what was wrong and what mends it. Two errors are equal when their codes are.
package struct SpeechEngineError: Error, Equatable, CustomStringConvertible {
    /// The kind of failure; callers decide by it, the message is for people.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case missingFile
            case damagedFile
            case invalidAudio
            case libraryFailure
        }

        private let kind: Kind

        /// One of the engine's files is not there or cannot be read.
        package static let missingFile = Self(kind: .missingFile)
        /// One of the engine's files has other contents than the release Earshot is built for.
        package static let damagedFile = Self(kind: .damagedFile)
        /// The audio is refused; the same audio is refused every time.
        package static let invalidAudio = Self(kind: .invalidAudio)
        /// The library could not be opened, or a call of it failed.
        package static let libraryFailure = Self(kind: .libraryFailure)

        package var description: String { kind.rawValue }
    }

    /// The kind of failure.
    package let code: Code
    /// What was wrong and what mends it, for people.
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
