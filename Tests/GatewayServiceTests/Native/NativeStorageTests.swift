import AudioStreams
import EarshotClient
import EarshotModel
import NIOCore
import TestSupport
import Testing

/// Acknowledgements of stored audio, a connection that outgrows its bound, one that goes on in another conversation.
@Suite(.timeLimit(.minutes(2))) struct NativeStorageTests {
    /// A group's lease on a user's partition, by a worker of the test.
    private struct Group {
        let handOff: RedisHandOff
        let group: WorkerGroup
        let partition: Partition
        let token: FencingToken
        private var commits: Int64 = 0

        init(_ group: WorkerGroup, _ harness: GatewayHarness, stream: StreamKind? = .audio) async throws {
            handOff = harness.fleet.handOff
            self.group = group
            partition = harness.partition(of: "alice")
            let attempt = Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "worker"))
            let outcome = try await handOff.acquire([attempt], group: group, stream: stream)[partition]
            guard case .granted(let grant)? = outcome else { throw ChildProcess.Failure("no lease of \(group)") }
            token = grant.token
        }

        mutating func commit(_ lane: Commit.Lane) async throws {
            commits += 1
            let outcome = try await handOff.commit(
                Commit(
                    group: group, stream: .audio, partition: partition, token: token, number: commits, position: nil,
                    lanes: [lane]))
            #expect(outcome == .applied)
        }
    }

    private let frame = [UInt8](repeating: 1, count: 640)

    @Test("`stored` counts what a group has committed, over a chain up to the first session that is not through")
    func stored() async throws {
        try await GatewayHarness.with { harness in
            let user = try #require(UserID("alice"))
            _ = try await harness.fleet.handOff.project(
                UserSettings(revision: 1, isStorageOn: true), of: user, in: harness.partition(of: "alice"))
            var storage = try await Group(.privateCloud, harness)
            let first = try await harness.native("ack=stored")
            let inbox = NativeInbox(first)
            let opened = try #require(NativeOpened(await inbox.next()))
            let session = try #require(SessionID(opened.session))
            for _ in 0..<10 { try await first.send(binary: frame) }
            #expect(await inbox.skip(to: #""ack","next":0"#)?.contains(#""durability":"stored""#) == true)
            try await storage.commit(Commit.Lane(session: session, progress: LaneProgress(next: 4)))
            #expect(await inbox.skip(to: #""ack","next":4"#)?.contains(#""durability":"stored""#) == true)
            try await harness.untilNoted(opened.session, last: 9, of: "alice")
            first.abort()
            _ = try await harness.untilEnded("alice")
            let second = try await harness.native("ack=stored&resume=\(opened.session)&from=4")
            let next = NativeInbox(second)
            let resumed = try #require(NativeOpened(await next.next()))
            let successor = try #require(SessionID(resumed.session))
            #expect(resumed.next == 10)
            for _ in 0..<10 { try await second.send(binary: frame) }
            try await storage.commit(Commit.Lane(session: successor, progress: LaneProgress(next: 20)))
            #expect(await next.skip(to: #""ack","next":4"#) != nil)
            try await storage.commit(Commit.Lane(session: session, progress: LaneProgress(next: 10, isDone: true)))
            #expect(await next.skip(to: #""ack","next":20"#)?.contains(#""durability":"stored""#) == true)
            second.abort()
        }
    }

    @Test("Who holds more than its bound for too long is closed with 1013 and told when to come again")
    func overloaded() async throws {
        let server = try RedisServer.started()
        var limits = Limits()
        limits.sessionHeldBytesMaximum = 3_000
        limits.nativeHeldTimeMaximum = .seconds(1)
        // Else a slow machine might stop reading before there is too much to hold.
        limits.appendReplyDelayMaximum = .seconds(60)
        try await GatewayHarness.with(limits: limits, redis: server.configuration) { harness in
            let connection = try await harness.native()
            let inbox = NativeInbox(connection)
            _ = await inbox.skip(to: "ready")
            server.freeze()
            for _ in 0..<10 { try await connection.send(binary: frame) }
            let closing = await inbox.skip(to: #""closing""#)
            #expect(closing?.contains(#""reason":"overloaded","retry_after_ms":"#) == true)
            #expect(await inbox.closeCode() == 1013)
            server.thaw()
            #expect(try await harness.untilEnded("alice") == .overloaded)
        }
    }

    @Test("A connection whose conversation closes goes on in another: the numbers run on, and the new name resumes")
    func conversationSwitch() async throws {
        try await GatewayHarness.with { harness in
            var transcript = try await Group(.transcript, harness)
            let coordinator = try await Group(.coordinator, harness, stream: nil)
            let connection = try await harness.native()
            let inbox = NativeInbox(connection)
            let opened = try #require(NativeOpened(await inbox.next()))
            for _ in 0..<10 { try await connection.send(binary: frame) }
            #expect(await inbox.skip(to: #""ack","next":10"#) != nil)
            let open = try await transcript.handOff.conversations(in: [transcript.partition])[transcript.partition]
            let conversation = try #require(open?.first)
            // Heard through ten minutes in which nobody spoke.
            let started = WallClock.microseconds
            try await transcript.commit(
                Commit.Lane(
                    session: conversation.session, progress: LaneProgress(), heard: started + 600_000_000))
            _ = try await transcript.handOff.settle(
                conversation, times: 0, in: transcript.partition, now: started, token: coordinator.token)
            try await connection.send(binary: frame)
            let next = try #require(NativeOpened(await inbox.skip(to: #""type":"session""#)))
            #expect(next.session != opened.session && next.conversation != opened.conversation)
            for _ in 0..<5 { try await connection.send(binary: frame) }
            #expect(await inbox.skip(to: #""ack","next":16"#) != nil)
            try await harness.untilNoted(next.session, last: 15, of: "alice")
            connection.abort()
            let second = try await harness.native("resume=\(next.session)&from=12")
            let resumed = try #require(NativeOpened(await NativeInbox(second).next()))
            #expect(resumed.isResumed && resumed.next == 16 && resumed.conversation == next.conversation)
            second.abort()
            #expect(try await harness.frames(of: "alice").count == 16)
        }
    }
}
