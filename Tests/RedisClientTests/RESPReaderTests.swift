import NIOCore
import Testing

@testable import RedisClient

@Suite("Reading replies")
struct RESPReaderTests {
    private static let replies: [(text: String, value: RESPValue)] = [
        ("+OK\r\n", .simple("OK")),
        (":-42\r\n", .integer(-42)),
        (":9223372036854775807\r\n", .integer(.max)),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("$0\r\n\r\n", .bulk(ByteBuffer())),
        ("$7\r\na\r\n\0$5\r\r\n", .bulk(ByteBuffer(string: "a\r\n\0$5\r"))),
        ("-NOSCRIPT No matching script\r\n", .error("NOSCRIPT No matching script")),
        ("*0\r\n", .array([])),
        (
            "*3\r\n:1\r\n*2\r\n$1\r\nk\r\n$-1\r\n-ERR inside\r\n",
            .array([.integer(1), .array([.bulk(ByteBuffer(string: "k")), .null]), .error("ERR inside")])
        ),
    ]

    private static func stream() -> (bytes: [UInt8], values: [RESPValue]) {
        let many = (0..<20).flatMap { _ in replies }
        return (many.flatMap { Array($0.text.utf8) }, many.map(\.value))
    }

    private static func drain(_ reader: RESPReader, into values: inout [RESPValue]) throws {
        while let value = try reader.next() { values.append(value) }
    }

    @Test("Every reply is read when the bytes come one at a time")
    func oneByteAtATime() throws {
        let (bytes, expected) = Self.stream()
        let reader = try RESPReader(maximumReplyBytes: 1 << 20)
        var values: [RESPValue] = []
        for byte in bytes {
            try reader.feed(ByteBuffer(bytes: [byte]))
            try Self.drain(reader, into: &values)
        }
        #expect(values == expected)
    }

    @Test("Every reply is read wherever the bytes are cut", arguments: 1...40 as ClosedRange<UInt64>)
    func randomCuts(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (bytes, expected) = Self.stream()
        let reader = try RESPReader(maximumReplyBytes: 1 << 20)
        var values: [RESPValue] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let cut = Int.random(in: 0...min(rest.count, 300), using: &generator)
            try reader.feed(ByteBuffer(bytes: rest.prefix(cut)))
            rest = rest.dropFirst(cut)
            try Self.drain(reader, into: &values)
        }
        #expect(values == expected)
    }

    @Test("A large binary string survives being cut into reads")
    func largeBinary() throws {
        var generator = SeededGenerator(seed: 7)
        let payload = (0..<1_000_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let bytes = Array("$\(payload.count)\r\n".utf8) + payload + Array("\r\n".utf8)
        let reader = try RESPReader(maximumReplyBytes: 2 << 20)
        var values: [RESPValue] = []
        for start in stride(from: 0, to: bytes.count, by: 16_384) {
            try reader.feed(ByteBuffer(bytes: bytes[start..<min(start + 16_384, bytes.count)]))
            try Self.drain(reader, into: &values)
        }
        #expect(values == [.bulk(ByteBuffer(bytes: payload))])
    }

    @Test("Bytes that are not RESP2 are an error, and so is everything after them")
    func errorsAreFinal() throws {
        let reader = try RESPReader(maximumReplyBytes: 1 << 20)
        try reader.feed(ByteBuffer(string: "+OK\r\nHTTP/1.1 400 Bad Request\r\n"))
        #expect(try reader.next() == .simple("OK"))
        #expect { try reader.next() } throws: { ($0 as? RedisError)?.code == .protocolViolation }
        #expect { try reader.feed(ByteBuffer(string: "+OK\r\n")) } throws: {
            ($0 as? RedisError)?.code == .protocolViolation
        }
        #expect { try reader.next() } throws: { ($0 as? RedisError)?.code == .protocolViolation }
    }

    @Test("Arrays may be nested as deep as hiredis takes them; deeper is an error and no crash")
    func nesting() throws {
        func nested(_ depth: Int) -> String { String(repeating: "*1\r\n", count: depth) + ":1\r\n" }
        let reader = try RESPReader(maximumReplyBytes: 1 << 20)
        try reader.feed(ByteBuffer(string: nested(7)))
        var value = try reader.next()
        var depth = 0
        while let inner = value?.array?.first {
            value = inner
            depth += 1
        }
        #expect(depth == 7)
        #expect(value == .integer(1))
        try reader.feed(ByteBuffer(string: nested(20)))
        #expect { try reader.next() } throws: { ($0 as? RedisError)?.code == .protocolViolation }
    }

    @Test("A reply larger than allowed is refused before it is complete; many small ones are not")
    func sizeLimit() throws {
        let reader = try RESPReader(maximumReplyBytes: 1_000)
        for _ in 0..<100 {
            try reader.feed(ByteBuffer(string: "$500\r\n" + String(repeating: "x", count: 500) + "\r\n"))
            #expect(try reader.next() != nil)
            #expect(try reader.next() == nil)
        }
        try reader.feed(ByteBuffer(string: "*2\r\n$600\r\n" + String(repeating: "x", count: 600) + "\r\n"))
        #expect(try reader.next() == nil)
        try reader.feed(ByteBuffer(string: "$600\r\n" + String(repeating: "x", count: 500)))
        #expect { try reader.next() } throws: { ($0 as? RedisError)?.message.contains("1000 bytes") == true }
    }

    @Test("The accessors convert what they name and nothing else")
    func accessors() {
        #expect(RESPValue.bulk(ByteBuffer(string: "-17")).int == -17)
        #expect(RESPValue.bulk(ByteBuffer(string: "17a")).int == nil)
        #expect(RESPValue.integer(5).int == 5)
        #expect(RESPValue.integer(5).string == nil)
        #expect(RESPValue.bulk(ByteBuffer(bytes: [0xFF, 0xFE])).string == nil)
        #expect(RESPValue.bulk(ByteBuffer(bytes: [0xFF])).bytes == ByteBuffer(bytes: [0xFF]))
        #expect(RESPValue.simple("OK").string == "OK")
        #expect(RESPValue.array([.null]).array == [.null])
        #expect(RESPValue.null.array == nil)
        #expect(RESPValue.error("OOM command not allowed").asError?.prefix == "OOM")
        #expect(RESPValue.simple("OOM").asError == nil)
    }
}
