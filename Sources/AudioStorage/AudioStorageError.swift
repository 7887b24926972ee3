/// Why audio could not be prepared for a store, or made of what a store holds.
package struct AudioStorageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed set of causes.
    package enum Code: String, Sendable {
        /// The encryption secret is missing or too short.
        case badSecret
        case encryptionFailed
        /// The object was changed, or encrypted under another secret.
        case undecryptable
        /// The object's name or contents are of no format known here.
        case unknownFormat
        /// The object's bytes are not those the record names, or are damaged.
        case corrupt
        /// More audio than is handled in one piece.
        case tooLarge
        /// Encoding failed for a reason of the codec's own.
        case encodingFailed
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
