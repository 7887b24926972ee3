/// A failure to decode, encode, resample, read or write audio.
///
/// The message names what was wrong and what is allowed. Two errors are equal when their codes are.
package struct AudioCodecError: Error, Equatable, CustomStringConvertible {
    /// The kind of failure; callers decide by it, the message is for people.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case invalidArgument
            case corruptPacket
            case unsupportedFormat
            case corruptFile
            case tooLarge
            case inaccessibleFile
            case libraryFailure
        }

        private let kind: Kind

        /// A rate, a frame length or another setting is outside what the codec takes.
        package static let invalidArgument = Self(kind: .invalidArgument)
        /// A packet cannot be decoded; the decoder stays usable for the next one.
        package static let corruptPacket = Self(kind: .corruptPacket)
        /// A file is well formed but holds a kind of audio that is not read here.
        package static let unsupportedFormat = Self(kind: .unsupportedFormat)
        /// A file is truncated or contradicts itself.
        package static let corruptFile = Self(kind: .corruptFile)
        /// The input is over a named bound.
        package static let tooLarge = Self(kind: .tooLarge)
        /// A file cannot be opened, read or written.
        package static let inaccessibleFile = Self(kind: .inaccessibleFile)
        /// The C library failed for a reason of its own, such as no memory.
        package static let libraryFailure = Self(kind: .libraryFailure)

        package var description: String { kind.rawValue }
    }

    /// The kind of failure.
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
