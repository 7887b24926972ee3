import AudioStreams
import EarshotClient
import EarshotModel
import RedisClient
import TestSupport
import Testing

@Suite struct LiveResultTests {
    /// A session on a gateway and a worker's lease on its partition.
    private struct Scene {
        let harness: GatewayHarness
        let session: SessionID
        let partition: Partition
        let token: FencingToken

        func publish(_ kind: LiveResult.Kind, _ ordinal: UInt64, _ text: String) async throws {
            let result = LiveResult(kind: kind, session: session, ordinal: ordinal, count: 1, text: text)
            _ = try await harness.fleet.handOff.publish(
                result, to: harness.incarnation, token: token, group: .transcript, partition: partition)
        }

        func commit(_ number: Int64, _ ordinal: UInt64, _ text: String) async throws {
            let final = LiveResult(kind: .final, session: session, ordinal: ordinal, count: 1, text: text)
            let outcome = try await harness.fleet.handOff.commit(
                Commit(
                    group: .transcript, stream: .audio, partition: partition, token: token, number: number,
                    position: nil,
                    lanes: [
                        Commit.Lane(
                            session: session, progress: LaneProgress(ordinal: ordinal + 1), finals: [final])
                    ]))
            #expect(outcome == .applied)
        }
    }

    private func withScene(_ body: @Sendable (Scene, Inbox) async throws -> Void) async throws {
        try await GatewayHarness.with { harness in
            let inbox = Inbox(try await harness.connect())
            _ = await inbox.skip(to: #""status":"ready""#)
            let partition = harness.partition(of: "alice")
            let live = try await harness.fleet.handOff.liveSessions(in: [partition])
            let session = try #require(live[partition]?.first?.key)
            let outcomes = try await harness.fleet.handOff.acquire(
                [Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "worker"))], group: .transcript,
                stream: .audio)
            guard case .granted(let grant)? = outcomes[partition] else {
                Issue.record("no lease")
                return
            }
            let scene = Scene(harness: harness, session: session, partition: partition, token: grant.token)
            try await body(scene, inbox)
        }
    }

    @Test("Finals arrive once each and in order, an interim before its final only")
    func order() async throws {
        try await withScene { scene, inbox in
            try await scene.publish(.interim, 0, "interim zero")
            try await scene.commit(1, 0, "final zero")
            try await scene.publish(.interim, 0, "late interim")
            try await scene.publish(.final, 0, "repeated final")
            try await scene.commit(2, 1, "final one")
            #expect(await inbox.next() == "interim zero")
            #expect(await inbox.next() == "final zero")
            #expect(await inbox.next() == "final one")
        }
    }

    @Test("A final that was missed is fetched when the next one shows the gap")
    func gap() async throws {
        try await withScene { scene, inbox in
            // The first final is kept, but its message reaches nobody: the session's gateway is another meanwhile.
            let key = scene.harness.fleet.keys.session(scene.session, scene.partition)
            _ = try await scene.harness.fleet.client.execute(RedisCommand("HSET", .init(key), "gateway", "other#1"))
            try await scene.commit(1, 0, "final zero")
            _ = try await scene.harness.fleet.client.execute(
                RedisCommand("HSET", .init(key), "gateway", .init(scene.harness.incarnation.description)))
            try await scene.commit(2, 1, "final one")
            #expect(await inbox.next() == "final zero")
            #expect(await inbox.next() == "final one")
        }
    }

    @Test("Each of a gateway's sessions gets its own results and no other's")
    func rightSocket() async throws {
        try await GatewayHarness.with { harness in
            let users = ["alice", "bob", "carol"]
            var inboxes: [Inbox] = []
            for user in users {
                let inbox = Inbox(try await harness.connect(user: user))
                _ = await inbox.skip(to: #""status":"ready""#)
                inboxes.append(inbox)
            }
            let all = Set(users.map { harness.partition(of: $0) })
            let live = try await harness.fleet.handOff.liveSessions(in: all.sorted())
            let owner = Incarnation(startingAs: "worker")
            let outcomes = try await harness.fleet.handOff.acquire(
                all.map { Lease.Attempt(partition: $0, owner: owner) }, group: .transcript, stream: .audio)
            for ordinal in 0..<UInt64(3) {
                for (partition, sessions) in live {
                    guard case .granted(let grant)? = outcomes[partition] else { continue }
                    for session in sessions.keys {
                        let known = try await harness.fleet.handOff.session(session, group: .transcript, in: partition)
                        let text = "\(known?.user.text ?? "nobody") \(ordinal)"
                        _ = try await harness.fleet.handOff.publish(
                            LiveResult(kind: .interim, session: session, ordinal: ordinal, count: 1, text: text),
                            to: harness.incarnation, token: grant.token, group: .transcript, partition: partition)
                    }
                }
            }
            for (user, inbox) in zip(users, inboxes) {
                for ordinal in 0..<3 { #expect(await inbox.next() == "\(user) \(ordinal)") }
            }
        }
    }

    @Test("A device that does not read is cut, and its session ends")
    func notReading() async throws {
        var limits = Limits()
        limits.outboundBytesMaximum = 64 * 1024
        try await GatewayHarness.with(limits: limits) { harness in
            let connection = try await harness.connect()
            let partition = harness.partition(of: "alice")
            let session = try await eventually("the session") {
                try await harness.fleet.handOff.liveSessions(in: [partition])[partition]?.first?.key
            }
            let outcomes = try await harness.fleet.handOff.acquire(
                [Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "worker"))], group: .transcript,
                stream: .audio)
            guard case .granted(let grant)? = outcomes[partition] else { return }
            let text = String(repeating: "x", count: 30_000)
            try await eventually("the cut") {
                for _ in 0..<200 {
                    _ = try await harness.fleet.handOff.publish(
                        LiveResult(kind: .interim, session: session, ordinal: 0, count: 1, text: text),
                        to: harness.incarnation, token: grant.token, group: .transcript, partition: partition)
                }
                return try await harness.fleet.handOff.liveSessions(in: [partition]).isEmpty
            }
            #expect(try await harness.untilEnded("alice") == .connectionLost)
            connection.abort()
        }
    }
}
