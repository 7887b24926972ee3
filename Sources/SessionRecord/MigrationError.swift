/// Why migrations were not applied.
package struct MigrationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed set of causes.
    package enum Code: String, Sendable {
        /// The directory cannot be read or holds no migrations.
        case noMigrations
        /// A file's name is not `NNNN_name.up.sql`, or a number is missing or there twice.
        case badName
        /// A migration that was applied has other contents now, or is gone.
        case historyChanged
        /// A statement failed; nothing of that migration remains.
        case failed
    }

    package let code: Code
    package let message: String

    /// Makes an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    package var description: String { message }
}
