import AudioStreams
import EarshotClient
import EarshotModel
import NIOCore
import RedisClient
import Synchronization
import TestSupport
import Testing

@Suite("A connection goes on in another conversation", .timeLimit(.minutes(2))) struct ConversationSwitchTests {
    /// Acts as the transcript group and the coordinator of a user's partition.
    private struct Workers {
        let handOff: RedisHandOff
        let partition: Partition
        let transcript: FencingToken
        let coordinator: FencingToken

        init(_ harness: GatewayHarness, user: String) async throws {
            handOff = harness.fleet.handOff
            partition = harness.partition(of: user)
            transcript = try await Self.lease(.transcript, .audio, partition, handOff)
            coordinator = try await Self.lease(.coordinator, nil, partition, handOff)
        }

        private static func lease(
            _ group: WorkerGroup, _ stream: StreamKind?, _ partition: Partition, _ handOff: RedisHandOff
        ) async throws -> FencingToken {
            let attempt = Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "worker"))
            let outcome = try await handOff.acquire([attempt], group: group, stream: stream)[partition]
            guard case .granted(let grant)? = outcome else { throw ChildProcess.Failure("no lease of \(group)") }
            return grant.token
        }

        /// Commits words of a session, behind `hearSilence`.
        func commit(_ text: String, of session: SessionID) async throws {
            let final = LiveResult(kind: .final, session: session, ordinal: 0, count: 1, text: text)
            let lane = Commit.Lane(session: session, progress: LaneProgress(ordinal: 1), finals: [final])
            let outcome = try await handOff.commit(
                Commit(
                    group: .transcript, stream: .audio, partition: partition, token: transcript, number: 2,
                    position: nil, lanes: [lane]))
            #expect(outcome == .applied)
        }

        /// Every live session was heard through ten minutes in which nobody spoke.
        func hearSilence() async throws -> [OpenConversation] {
            let open = try await handOff.conversations(in: [partition])[partition] ?? []
            for (index, conversation) in open.enumerated() {
                let known = try await handOff.session(conversation.session, group: .transcript, in: partition)
                let lane = Commit.Lane(
                    session: conversation.session, progress: LaneProgress(),
                    heard: (known?.startedAt ?? 0) + 600_000_000)
                _ = try await handOff.commit(
                    Commit(
                        group: .transcript, stream: .audio, partition: partition, token: transcript,
                        number: Int64(index) + 1, position: nil, lanes: [lane]))
                _ = try await handOff.settle(
                    conversation, times: 0, in: partition, now: WallClock.microseconds, token: coordinator)
            }
            return open
        }
    }

    @Test("Silence in audio time ends the session, and the socket goes on with the next, without losing a frame")
    func silence() async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect()
            let inbox = Inbox(connection)
            _ = await inbox.skip(to: #""status":"ready""#)
            let workers = try await Workers(harness, user: "alice")
            let frame = [UInt8](repeating: 1, count: 320)
            for _ in 0..<10 { try await connection.send(binary: frame) }
            let before = try await workers.hearSilence()
            #expect(before.count == 1)
            var sent = 10
            try await eventually("the next conversation") {
                try await connection.send(binary: frame)
                sent += 1
                let live = try await workers.handOff.liveSessions(in: [workers.partition])[workers.partition] ?? [:]
                return live.count == 1 && live.keys.first != before.first?.session
            }
            #expect(await inbox.skip(to: "conversation_session")?.contains("in_progress") == true)
            // The ones before may all have gone with the session that ended.
            try await connection.send(binary: frame)
            let total = sent + 1
            try await eventually("every frame") {
                let entries = try await workers.handOff.entries(
                    of: .audio, in: workers.partition, after: .start, count: 1_000
                ).map { try AudioEntry(decoding: $0.payload) }
                return entries.reduce(0) { $0 + $1.frames.count } == total
            }
            let entries = try await workers.handOff.entries(
                of: .audio, in: workers.partition, after: .start, count: 1_000
            ).map { try AudioEntry(decoding: $0.payload) }
            let ends = entries.compactMap { entry in
                if case .end(let reason) = entry.content { reason } else { nil }
            }
            #expect(ends == [.conversationClosed])
            #expect(Set(entries.map(\.session)).count == 2)
            let now = try await workers.handOff.conversations(in: [workers.partition])[workers.partition] ?? []
            #expect(now.contains { $0.id != before.first?.id })
        }
    }

    /// Whether new sessions wait for the registry.
    private final class Hold: Sendable {
        let isOn = Atomic(false)
    }

    @Test("Words of the session before the switch reach the device while the next one waits for the registry")
    func wordsMeanwhile() async throws {
        let hold = Hold()
        let server = try RedisServer.shared.get().configuration
        let refusal: RedisProxy.Refusal = { words in
            let isRegistration = words.contains { String(buffer: $0).contains("earshot_register") }
            return isRegistration && hold.isOn.load(ordering: .relaxed) ? "BUSY Redis is busy running a script" : nil
        }
        try await RedisProxy.with(server, refusing: refusal) { configuration in
            try await GatewayHarness.with(redis: configuration) { harness in
                let connection = try await harness.connect()
                let inbox = Inbox(connection)
                _ = await inbox.skip(to: #""status":"ready""#)
                let workers = try await Workers(harness, user: "alice")
                let before = try #require(try await workers.hearSilence().first?.session)
                hold.isOn.store(true, ordering: .relaxed)
                try await eventually("the end of the session before") {
                    try await connection.send(binary: [UInt8](repeating: 1, count: 320))
                    return try await harness.entries(of: "alice").contains { entry in
                        if case .end(.conversationClosed) = entry.content { true } else { false }
                    }
                }
                try await workers.commit("late words", of: before)
                #expect(await inbox.next() == "late words")
                hold.isOn.store(false, ordering: .relaxed)
                #expect(await inbox.next()?.contains("conversation_session") == true)
            }
        }
    }

    @Test(
        "A desktop that closes with 1000 ends its conversation at once; a phone does not",
        arguments: ["desktop", "omi"])
    func desktop(source: String) async throws {
        try await GatewayHarness.with { harness in
            let connection = try await harness.connect("codec=pcm16&sample_rate=16000&source=\(source)")
            let inbox = Inbox(connection)
            _ = await inbox.skip(to: #""status":"ready""#)
            let partition = harness.partition(of: "alice")
            let handOff = harness.fleet.handOff
            let first = try #require(try await handOff.conversations(in: [partition])[partition]?.first)
            await connection.close()
            try await eventually("the end") { try await handOff.liveSessions(in: [partition])[partition] == nil }
            let next = try await handOff.register(
                SessionRegistration(
                    session: .new(at: 1), user: first.user, gateway: harness.incarnation,
                    now: WallClock.microseconds, parameters: SessionParameters(codec: .pcm16, sampleRate: 16_000)),
                in: partition)
            #expect((next.conversation == first.id) == (source != "desktop"))
        }
    }

    @Test("A native desktop's close does the same, and a phone in that conversation goes on in another")
    func nativeDesktop() async throws {
        try await GatewayHarness.with { harness in
            let phone = try await harness.connect()
            let inbox = Inbox(phone)
            let before = try #require(await inbox.skip(to: "conversation_session"))
            _ = await inbox.skip(to: #""status":"ready""#)
            let desktop = try await harness.native("source=desktop")
            _ = await NativeInbox(desktop).skip(to: "ready")
            await desktop.close(code: 1000)
            let partition = harness.partition(of: "alice")
            try await eventually("the close") {
                try await harness.fleet.handOff.liveSessions(in: [partition])[partition]?.count == 1
            }
            try await eventually("the conversation is closed") {
                // Its tail checks tell the gateway, and they stand behind audio.
                try await phone.send(binary: [UInt8](repeating: 1, count: 640))
                return try await harness.sessions(of: "alice").count == 3
            }
            #expect(try #require(await inbox.skip(to: "conversation_session")) != before)
            phone.abort()
        }
    }
}
