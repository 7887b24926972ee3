import CHiredis
import NIOCore
import Testing

@testable import RedisClient

@Suite("Writing commands")
struct RedisCommandTests {
    private static func encoded(_ command: RedisCommand) -> String {
        var buffer = ByteBuffer()
        command.encode(into: &buffer)
        return String(buffer: buffer)
    }

    /// What hiredis makes of the same arguments.
    private static func oracle(_ arguments: [[UInt8]]) throws -> [UInt8] {
        let copies = arguments.map { argument in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, argument.count))
            for (index, byte) in argument.enumerated() { copy[index] = CChar(bitPattern: byte) }
            return copy
        }
        defer { for copy in copies { copy.deallocate() } }
        var pointers = copies.map { Optional(UnsafePointer($0)) }
        var lengths = arguments.map(\.count)
        var target: UnsafeMutablePointer<CChar>?
        let length = Int(redisFormatCommandArgv(&target, Int32(arguments.count), &pointers, &lengths))
        let formatted = try #require(target)
        defer { redisFreeCommand(formatted) }
        return (0..<length).map { UInt8(bitPattern: formatted[$0]) }
    }

    @Test(
        "Random binary arguments are encoded exactly as hiredis encodes them", arguments: 1...60 as ClosedRange<UInt64>)
    func differential(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let arguments = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
            (0..<Int.random(in: 0...1_200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
        }
        var buffer = ByteBuffer(string: "before")
        RedisCommand(arguments.map { RedisArgument($0) }).encode(into: &buffer)
        #expect(try Array(buffer.readableBytesView) == Array("before".utf8) + Self.oracle(arguments))

        var pipeline = RedisPipeline()
        pipeline.append(RedisCommand(arguments.map { RedisArgument(ByteBuffer(bytes: $0)) }))
        #expect(try Array(pipeline.buffer.readableBytesView) == Self.oracle(arguments))
    }

    @Test("Numbers are written in decimal, to both ends of their range")
    func numbers() {
        #expect(
            Self.encoded(RedisCommand("X", .init(Int64.min), .init(UInt64.max), 0, -9, 10, .init(Int.max)))
                == "*7\r\n$1\r\nX\r\n$20\r\n-9223372036854775808\r\n$20\r\n18446744073709551615\r\n$1\r\n0\r\n$2\r\n-9"
                + "\r\n$2\r\n10\r\n$19\r\n9223372036854775807\r\n")
    }

    @Test("Text is counted in bytes, not in characters")
    func text() {
        #expect(Self.encoded(RedisCommand("SET", "k", "ä€")) == "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nä€\r\n")
    }

    @Test("A pipeline counts its replies and is idempotent only if each of its commands is")
    func pipeline() {
        var pipeline = RedisPipeline([RedisCommand("GET", "a").retriable()])
        #expect(pipeline.isIdempotent)
        pipeline.append(RedisCommand("INCR", "a"))
        pipeline.append(encoded: ByteBuffer(string: "PING\r\nPING\r\n"), replies: 2, isIdempotent: true)
        #expect(pipeline.count == 4)
        #expect(!pipeline.isIdempotent)
        pipeline.removeAll()
        #expect(pipeline.isEmpty && pipeline.byteCount == 0 && pipeline.isIdempotent)
    }

    @Test("The two forms of XADD write the same bytes as a command with the same arguments")
    func xadd() {
        let value = ByteBuffer(bytes: [0, 13, 10, 255])
        let expected = RedisPipeline([RedisCommand("XADD", "{p001}:audio", "*", "e", .init(value))])
        var simple = RedisPipeline()
        simple.appendXADD(key: "{p001}:audio", field: "e", value: value)
        #expect(simple == expected)
        var inPlace = RedisPipeline()
        let key = ByteBuffer(string: "{p001}:audio").readableBytesView
        inPlace.appendXADD(key: key, field: "e", valueLength: 4) { buffer in
            buffer.writeInteger(UInt16(13))
            buffer.writeBytes([10, 255])
        }
        #expect(inPlace.buffer == expected.buffer)
        #expect(inPlace.count == 1 && !inPlace.isIdempotent)
    }

    @Test("Appending to a pipeline that was emptied reuses its storage")
    func storageIsReused() {
        var pipeline = RedisPipeline(reservingCapacity: 4_096)
        let capacity = pipeline.buffer.storageCapacity
        for _ in 0..<3 {
            pipeline.appendXADD(key: "k", field: "e", value: ByteBuffer(repeating: 1, count: 2_000))
            #expect(pipeline.buffer.storageCapacity == capacity)
            pipeline.removeAll()
        }
    }
}
