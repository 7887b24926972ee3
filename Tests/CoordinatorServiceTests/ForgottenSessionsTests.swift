import AudioStreams
import CoordinatorService
import EarshotModel
import Logging
import ServiceLifecycle
import SessionRecord
import TestSupport
import Testing

@Suite("Sessions that Redis lost")
struct ForgottenSessionsTests {
    private let partitions = 4

    private func started(_ session: TestSession, conversation: String) -> SessionEvent {
        var event = SessionEvent(
            type: .sessionStarted, group: "gateway", uid: session.user.text, session: session.id,
            conversation: conversation, time: session.startedAt, ordinal: 0)
        event.codec = "opus"
        return event
    }

    private func events(_ handOff: InMemoryHandOff, of session: TestSession) async throws -> [SessionEvent] {
        let partition = Partition(of: session.user, count: partitions)
        let read = try await handOff.makeReader().read(
            .events, after: [partition: .start], count: 100, block: .milliseconds(1))
        return try (read[partition] ?? []).map { try SessionEvent(json: $0.payload) }
            .filter { $0.session == session.id.description }
    }

    /// Lets the record have all events of a partition.
    private func recordAll(_ handOff: InMemoryHandOff, in partition: Partition) async throws {
        let attempt = Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "record-0"), lapsed: nil)
        let outcomes = try await handOff.acquire([attempt], group: .record, stream: .events)
        guard case .granted(let grant)? = outcomes[partition] else {
            Issue.record("no lease of \(partition)")
            return
        }
        let read = try await handOff.makeReader().read(
            .events, after: [partition: .start], count: 100, block: .milliseconds(1))
        guard let last = read[partition]?.last else { return }
        let outcome = try await handOff.commit(
            Commit(
                group: .record, stream: .events, partition: partition, token: grant.token, number: 1,
                position: Commit.Position(position: last.position, entriesRead: Int64(read[partition]?.count ?? 0)),
                lanes: []))
        #expect(outcome == .applied)
    }

    @Test("One that the record shows as live and the registry does not know is ended, once; no other is")
    func lost() async throws {
        var limits = Limits()
        limits.forgottenInterval = .milliseconds(20)
        // Smaller than what there is: pages are turned.
        limits.forgottenBatchMaximum = 1
        let handOff = InMemoryHandOff(limits: limits)
        let record = InMemorySessionRecord()
        let (lost, live, ended) = (TestSession(user: "u1"), TestSession(user: "u2"), TestSession(user: "u3"))
        let all = (0..<partitions).map { Partition($0) }
        _ = try await handOff.enable(EnabledGroups(), in: all)
        for session in [live, ended] {
            let partition = Partition(of: session.user, count: partitions)
            let grant = try await handOff.register(session.registration(), in: partition)
            try await record.write([started(session, conversation: grant.conversation)])
        }
        // Its end is not in the record yet.
        _ = try await handOff.end(ended.ending(epoch: nil), in: Partition(of: ended.user, count: partitions))
        try await record.write([started(lost, conversation: "c1")])
        // A session of which the record has not had all is left alone.
        let behind = TestSession(user: "u4")
        try await record.write([started(behind, conversation: "c4")])
        let late = Partition(of: behind.user, count: partitions)
        try #require(![lost, live, ended].contains { Partition(of: $0.user, count: partitions) == late })
        for partition in all { try await recordAll(handOff, in: partition) }
        try await handOff.append(event: started(behind, conversation: "c4"), in: late)
        let metrics = CountingMetrics()
        let service = ForgottenSessions(
            record: record, handOff: handOff, partitions: partitions, limits: limits, metrics: metrics, logger: .silent)
        let group = ServiceGroup(services: [service], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("it was found") { metrics.total("coordinator.repairs") >= 1 }
            let found = try await events(handOff, of: lost)
            #expect(found.count == 1, "while the record has not had it, it is not told again")
            let end = try #require(found.first)
            #expect(end.type == .sessionEnded && end.reason == "redis_rollback" && end.conversation == "c1")
            try await record.write(found)
            #expect(try await record.session(lost.id.description)?.endReason == "redis_rollback")
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        for session in [live, ended, behind] {
            #expect(try await events(handOff, of: session).allSatisfy { $0.type == .sessionStarted })
            #expect(try await record.session(session.id.description)?.endedAt == nil)
        }
    }
}
