package import NIOCore

/// Commands already encoded into one buffer, with the number of replies they will get.
///
/// A pipeline is written with one write and answered by one future. It is not a transaction. Commands that answer
/// with anything but one reply (`SUBSCRIBE`, `MONITOR`, `CLIENT REPLY OFF`, `SHUTDOWN`) do not belong in one.
///
/// To reuse the storage in a hot path keep one pipeline, send it, and call `removeAll()`: while the socket still holds
/// the bytes the buffer is copied on the first append, afterwards it is reused.
package struct RedisPipeline: Sendable, Hashable {
    /// The encoded commands.
    package private(set) var buffer: ByteBuffer
    /// How many replies are expected, one a command.
    package private(set) var count = 0
    /// Whether every command in it was marked `retriable()`; an empty pipeline is.
    package private(set) var isIdempotent = true

    /// Creates an empty pipeline.
    ///
    /// - Parameter capacity: Bytes to make room for at once.
    package init(reservingCapacity capacity: Int = 0) {
        buffer = ByteBuffer()
        buffer.reserveCapacity(capacity)
    }

    /// Creates a pipeline of the given commands.
    package init(_ commands: [RedisCommand]) {
        self.init()
        for command in commands { append(command) }
    }

    /// Whether it holds no command.
    package var isEmpty: Bool { count == 0 }

    /// The size of the encoded commands in bytes.
    package var byteCount: Int { buffer.readableBytes }

    /// Appends a command.
    package mutating func append(_ command: RedisCommand) {
        command.encode(into: &buffer)
        count += 1
        isIdempotent = isIdempotent && command.isIdempotent
    }

    /// Appends bytes that already are commands in RESP.
    ///
    /// - Parameters:
    ///   - encoded: Complete commands.
    ///   - replies: How many commands they are.
    ///   - isIdempotent: Whether every one of them is harmless to repeat.
    package mutating func append(encoded: ByteBuffer, replies: Int, isIdempotent: Bool = false) {
        precondition(replies > 0, "encoded commands get at least one reply")
        buffer.writeImmutableBuffer(encoded)
        count += replies
        self.isIdempotent = self.isIdempotent && isIdempotent
    }

    /// Appends a command written piece by piece, with no array or string in between.
    ///
    /// - Parameters:
    ///   - argumentCount: How many arguments `body` writes, counting the command's name. Writing another number is a
    ///     programming error and stops the process.
    ///   - isIdempotent: Whether the command is harmless to repeat.
    ///   - body: Writes the name, then the arguments.
    package mutating func append(
        argumentCount: Int, isIdempotent: Bool = false, _ body: (inout RESPWriter) -> Void
    ) {
        precondition(argumentCount > 0, "a command needs at least its name")
        var writer = RESPWriter(into: buffer)
        // Given up for the time of the writing, so that the writer is the sole owner and nothing is copied.
        buffer = ByteBuffer()
        writer.begin(argumentCount: argumentCount)
        body(&writer)
        buffer = writer.finish(argumentCount: argumentCount)
        count += 1
        self.isIdempotent = self.isIdempotent && isIdempotent
    }

    /// Appends `XADD key id field value`.
    ///
    /// - Parameters:
    ///   - key: The stream.
    ///   - id: The entry's id; `*` lets the server choose.
    ///   - field: The name of the entry's only field.
    ///   - value: Its value.
    package mutating func appendXADD(key: String, id: String = "*", field: String, value: ByteBuffer) {
        append(argumentCount: 5) { writer in
            writer.write("XADD")
            writer.write(key)
            writer.write(id)
            writer.write(field)
            writer.write(value)
        }
    }

    /// Appends `XADD key id field value` with a value written in place, such as a header and a payload.
    ///
    /// - Parameters:
    ///   - key: The stream, as bytes that were encoded once.
    ///   - id: The entry's id; `*` lets the server choose.
    ///   - field: The name of the entry's only field.
    ///   - valueLength: How many bytes `value` writes, exactly.
    ///   - value: Appends the value's bytes.
    package mutating func appendXADD(
        key: ByteBufferView, id: String = "*", field: String, valueLength: Int, value: (inout ByteBuffer) -> Void
    ) {
        append(argumentCount: 5) { writer in
            writer.write("XADD")
            writer.write(key)
            writer.write(id)
            writer.write(field)
            writer.write(length: valueLength, value)
        }
    }

    /// Empties the pipeline and keeps its storage.
    package mutating func removeAll() {
        buffer.clear()
        count = 0
        isIdempotent = true
    }
}
