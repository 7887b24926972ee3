package import NIOCore

/// Writes one command into a buffer, argument by argument, without an array or a string in between.
///
/// Handed out by `RedisPipeline.append(argumentCount:_:)`. Every argument is written as a bulk string, which is the
/// only form Redis takes in a command.
package struct RESPWriter {
    private(set) var buffer: ByteBuffer
    private(set) var written = 0

    init(into buffer: ByteBuffer) {
        self.buffer = buffer
    }

    /// Writes a text argument as UTF-8.
    package mutating func write(_ text: String) {
        buffer.writeRESPLength("$", text.utf8.count)
        buffer.writeString(text)
        finishArgument()
    }

    /// Writes a binary argument.
    package mutating func write(_ bytes: ByteBuffer) {
        buffer.writeRESPLength("$", bytes.readableBytes)
        buffer.writeImmutableBuffer(bytes)
        finishArgument()
    }

    /// Writes a binary argument from a slice of a buffer.
    package mutating func write(_ bytes: ByteBufferView) {
        buffer.writeRESPLength("$", bytes.count)
        buffer.writeBytes(bytes)
        finishArgument()
    }

    /// Writes a binary argument from an array.
    package mutating func write(_ bytes: [UInt8]) {
        buffer.writeRESPLength("$", bytes.count)
        buffer.writeBytes(bytes)
        finishArgument()
    }

    /// Writes a number in decimal.
    package mutating func write(_ number: some FixedWidthInteger & Sendable) {
        let isNegative = number < 0
        let magnitude = UInt64(number.magnitude)
        buffer.writeRESPLength("$", ByteBuffer.decimalDigits(of: magnitude) + (isNegative ? 1 : 0))
        if isNegative { buffer.writeInteger(UInt8(ascii: "-")) }
        buffer.writeDecimal(magnitude)
        finishArgument()
    }

    /// Writes an argument of a known length from several pieces.
    ///
    /// - Parameters:
    ///   - length: How many bytes `body` writes; anything else is a programming error and stops the process, since the
    ///     server would take the following bytes for something they are not.
    ///   - body: Appends the bytes.
    package mutating func write(length: Int, _ body: (inout ByteBuffer) -> Void) {
        buffer.writeRESPLength("$", length)
        let start = buffer.writerIndex
        body(&buffer)
        precondition(
            buffer.writerIndex - start == length,
            "an argument announced as \(length) bytes was written with \(buffer.writerIndex - start)")
        finishArgument()
    }

    private mutating func finishArgument() {
        buffer.writeStaticString("\r\n")
        written += 1
    }

    mutating func begin(argumentCount: Int) {
        buffer.writeRESPLength("*", argumentCount)
        written = 0
    }

    consuming func finish(argumentCount: Int) -> ByteBuffer {
        precondition(
            written == argumentCount,
            "a command announced with \(argumentCount) arguments was written with \(written)")
        return buffer
    }
}

extension ByteBuffer {
    /// Writes a RESP header: the type character, a decimal length, CR LF.
    mutating func writeRESPLength(_ type: Unicode.Scalar, _ length: Int) {
        writeInteger(UInt8(ascii: type))
        writeDecimal(UInt64(length))
        writeStaticString("\r\n")
    }

    /// Writes a number in decimal without making a `String` of it.
    mutating func writeDecimal(_ number: UInt64) {
        let digits = Self.decimalDigits(of: number)
        unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: digits) { raw in
            var rest = number
            for index in stride(from: digits - 1, through: 0, by: -1) {
                unsafe raw[index] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            return digits
        }
    }

    static func decimalDigits(of number: UInt64) -> Int {
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        return digits
    }
}
