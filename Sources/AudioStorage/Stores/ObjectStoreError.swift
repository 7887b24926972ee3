/// Why an object could not be written or read.
///
/// None of the causes ever means that audio may be dropped: who stores waits and tries again.
package struct ObjectStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed set of causes.
    package enum Code: String, Sendable, CaseIterable {
        /// The store is away, full or overloaded; try again later.
        case unavailable
        /// The store refuses: credentials, permissions, a missing bucket, a file system that is read only.
        case refused
        /// The clock of this machine and the store's differ by more than the store allows.
        case clockSkew
        /// There is no such object.
        case notFound
        /// There is such an object already, and the write asked for none.
        case exists
        /// The key, or a part of it, is not allowed.
        case invalidKey
        /// The object is over a named bound.
        case tooLarge
        /// The object's bytes are not what was written.
        case corrupt
        /// The store does not know what it was asked, a conditional write for instance.
        case unsupported
    }

    package let code: Code
    package let message: String

    /// Makes an error; the message names neither secrets nor contents.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Code and message.
    package var description: String { "\(code.rawValue): \(message)" }
}
