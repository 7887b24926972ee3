import AudioStreams
import EarshotClient
import EarshotModel
import NIOCore
import RedisClient
import Synchronization
import TestSupport
import Testing

/// A Redis that refuses single commands in the middle of a pipeline, as one does that is busy or short of replicas.
@Suite(.timeLimit(.minutes(2))) struct RefusalTests {
    /// Refuses commands that contain a word, so often, or until one with another word has come.
    private final class Refusals: Sendable {
        private struct Rule {
            var word: String
            var times: Int
            var until: String?
            var error: String
        }

        private let rule = Mutex(Rule(word: "", times: 0, error: ""))

        func refuse(_ word: String, times: Int = .max, until: String? = nil, error: String) {
            rule.withLock { $0 = Rule(word: word, times: times, until: until, error: error) }
        }

        /// Whether all that was asked for has happened.
        var isThrough: Bool { rule.withLock { $0.times == 0 } }

        func verdict(on words: [ByteBuffer]) -> String? {
            func contains(_ word: String) -> Bool {
                let bytes = ByteBuffer(string: word).readableBytesView
                return words.contains { $0.readableBytesView.firstRange(of: bytes) != nil }
            }
            return rule.withLock { rule in
                if let until = rule.until, contains(until) { rule.times = 0 }
                guard rule.times > 0, contains(rule.word) else { return nil }
                rule.times -= 1
                return rule.error
            }
        }
    }

    private func with(_ body: @Sendable (GatewayHarness, Refusals) async throws -> Void) async throws {
        let refusals = Refusals()
        let server = try RedisServer.shared.get().configuration
        try await RedisProxy.with(server, refusing: { refusals.verdict(on: $0) }) { configuration in
            try await GatewayHarness.with(redis: configuration) { try await body($0, refusals) }
        }
    }

    /// A message that fills a batch, beginning with a mark.
    private func message(_ mark: String) -> [UInt8] {
        Array(mark.utf8) + [UInt8](repeating: 46, count: 7_000 - mark.utf8.count)
    }

    private func marks(_ harness: GatewayHarness, _ user: String) async throws -> [String] {
        try await harness.entries(of: user).filter { !$0.frames.isEmpty }.flatMap { entry in
            entry.frames.compactMap { $0.getString(at: $0.readerIndex, length: 4) }
        }
    }

    @Test("An append refused while nothing behind it was taken goes again, in order")
    func again() async throws {
        try await with { harness, refusals in
            refusals.refuse("m007", times: 2, error: "BUSY Redis is busy running a script")
            let connection = try await harness.connect()
            _ = await Inbox(connection).skip(to: #""status":"ready""#)
            let names = (0..<8).map { "m00\($0)" }
            for name in names { try await connection.send(binary: message(name)) }
            try await eventually("all is there", isTrue: { try await marks(harness, "alice").last == "m007" })
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            #expect(try await marks(harness, "alice") == names && refusals.isThrough)
        }
    }

    @Test("An append that was overtaken closes its session with 1001; its frames never come late")
    func overtaken() async throws {
        try await with { harness, refusals in
            // Refused as often as it comes before the next one: that may be more than once.
            refusals.refuse("m003", until: "m004", error: "NOREPLICAS Not enough good replicas to write.")
            let connection = try await harness.connect()
            // The close may come before the last of them.
            for index in 0..<8 { try? await connection.send(binary: message("m00\(index)")) }
            let closed = await connection.untilClosed()
            #expect(closed.code == 1001)
            #expect(try await harness.untilEnded("alice") == .overloaded && refusals.isThrough)
            let marks = try await marks(harness, "alice")
            #expect(!marks.contains("m003") && marks == marks.sorted() && marks.contains("m004"))
        }
    }

    @Test("What an end overtakes is not acknowledged, and its device resumes with it")
    func overtakenByEnd() async throws {
        try await with { harness, refusals in
            let connection = try await harness.native()
            let inbox = NativeInbox(connection)
            let opened = try #require(NativeOpened(await inbox.next()))
            for index in 0..<3 { try await connection.send(binary: message("m00\(index)")) }
            #expect(await inbox.skip(to: #""ack","next":3"#) != nil)
            refusals.refuse("m003", until: "earshot_end", error: "NOREPLICAS Not enough good replicas to write.")
            try await connection.send(binary: message("m003"))
            await connection.close(code: 1000)
            let acknowledged = await inbox.rest().filter { $0.contains(#""ack""#) }
            #expect(acknowledged.allSatisfy { $0.contains(#""next":3"#) }, "\(acknowledged)")
            #expect(try await harness.untilEnded("alice") == .clientClosed && refusals.isThrough)
            #expect(try await marks(harness, "alice") == ["m000", "m001", "m002"])
            let second = try await harness.native("resume=\(opened.session)")
            #expect(NativeOpened(await NativeInbox(second).next())?.next == 3)
            second.abort()
        }
    }

    @Test("A close behind audio that Redis did not take is answered with 1001")
    func overtakenByClose() async throws {
        try await with { harness, refusals in
            let connection = try await harness.connect()
            try await connection.send(binary: message("m000"))
            let all = (0..<harness.partitions).map { Partition($0) }
            try await eventually("the ends of the harness's own sessions are through") {
                let live = try await harness.fleet.handOff.liveSessions(in: all).values.reduce(0) { $0 + $1.count }
                return try await marks(harness, "alice") == ["m000"] && live == 1
            }
            refusals.refuse("m001", until: "earshot_end", error: "NOREPLICAS Not enough good replicas to write.")
            try await connection.send(binary: message("m001"))
            async let closing: Void = connection.close(code: 1000)
            #expect(await connection.untilClosed().code == 1001)
            await closing
            #expect(try await marks(harness, "alice") == ["m000"])
        }
    }

    @Test("An end that Redis refuses is asked for again until it stands")
    func end() async throws {
        try await with { harness, refusals in
            let connection = try await harness.connect()
            _ = await Inbox(connection).skip(to: #""status":"ready""#)
            refusals.refuse("earshot_end", times: 2, error: "ERR not now")
            try await connection.send(binary: message("m000"))
            await connection.close(code: 1000)
            #expect(try await harness.untilEnded("alice") == .clientClosed)
            #expect(refusals.isThrough)
        }
    }
}
