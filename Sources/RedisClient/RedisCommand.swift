package import NIOCore

/// One command and its arguments.
package struct RedisCommand: Sendable, Hashable {
    /// The command's name followed by its arguments; never empty.
    package let parts: [RedisArgument]
    /// Whether running the command twice does no more than running it once; see `retriable()`.
    package private(set) var isIdempotent = false

    /// Creates a command from its name and arguments.
    package init(_ name: String, _ arguments: RedisArgument...) {
        parts = [RedisArgument(name)] + arguments
    }

    /// Creates a command from its name and a list of arguments.
    package init(_ name: String, arguments: [RedisArgument]) {
        parts = [RedisArgument(name)] + arguments
    }

    /// Creates a command from a list that starts with its name.
    ///
    /// - Parameter parts: Name and arguments. An empty list is a programming error and stops the process.
    package init(_ parts: [RedisArgument]) {
        precondition(!parts.isEmpty, "a command needs at least its name")
        self.parts = parts
    }

    /// The same command, marked as harmless to repeat.
    ///
    /// A client sends a command again after `.outcomeUnknown` only if it is marked so.
    package consuming func retriable() -> RedisCommand {
        isIdempotent = true
        return self
    }

    /// Appends the command to a buffer as a RESP array of bulk strings.
    package func encode(into buffer: inout ByteBuffer) {
        var writer = RESPWriter(into: buffer)
        // The writer works on the caller's storage, not on a copy of it, only if it is the sole owner.
        buffer = ByteBuffer()
        writer.begin(argumentCount: parts.count)
        for part in parts { part.write(to: &writer) }
        buffer = writer.finish(argumentCount: parts.count)
    }

    /// The command's name, for logs and error messages; arguments may be secret or large and are left out.
    package var name: String { parts[0].text ?? "?" }
}
