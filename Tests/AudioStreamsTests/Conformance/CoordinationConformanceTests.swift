import AudioStreams
import EarshotModel
import NIOCore
import RedisClient
import TestSupport
import Testing

@Suite("Hand-off: groups that nobody runs, sessions that wait, and data that is lost")
struct CoordinationConformanceTests {
    private let groups: [WorkerGroup] = [.transcript, .privateCloud]

    private func append(
        _ test: HandOffUnderTest, _ session: TestSession, from first: UInt64, flags: WorkerFlags = .transcript
    ) async throws -> StreamPosition {
        try await test.handOff.append(session.entry(from: first, count: 2, flags: flags), to: test.partition)
    }

    private func skip(
        _ test: HandOffUnderTest, _ token: FencingToken, lapsed: Lease.Sighting? = nil
    ) async throws -> UnwantedSkip {
        try await test.handOff.skipUnwanted(by: .privateCloud, in: test.partition, lapsed: lapsed, token: token)
    }

    @Test(
        "A group that nobody runs passes what it does not want, markers too, and stops at what it wants",
        arguments: Backend.allCases)
    func stopsAtTheWanted(backend: Backend) async throws {
        try await backend.run { test in
            try await test.handOff.enable(audioGroups: groups, eventGroups: [], in: [test.partition])
            let unwanting = TestSession(user: "u1")
            let grant = try await test.register(unwanting)
            for first in 0..<5 { _ = try await append(test, unwanting, from: UInt64(first) * 2) }
            let outcome = try await test.handOff.end(unwanting.ending(epoch: grant.epoch), in: test.partition)
            guard case .ended(let marker) = outcome else {
                Issue.record("not ended: \(outcome)")
                return
            }
            let wanting = TestSession(user: "u2")
            let wanted = try await append(test, wanting, from: 0, flags: [.transcript, .privateCloud])
            _ = try await append(test, unwanting, from: 10)
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            #expect(try await skip(test, coordinator.token) == .passed(6))
            #expect(try await skip(test, coordinator.token) == .passed(0), "the next one is wanted")
            let lease = try await test.acquire(.privateCloud)
            #expect(lease.position == marker && lease.entriesRead == 6)
            #expect(try await test.lag(.privateCloud)?.entries == 2)
            let rest = try await test.handOff.entries(
                of: .audio, in: test.partition, after: lease.position, count: 10)
            #expect(rest.first?.position == wanted)
            // Its bit is set: the session waits for the transcript only.
            #expect(try await test.session(unwanting, .privateCloud)?.progress.isDone == true)
            #expect(try await test.session(unwanting)?.isCompleted == false)
            let transcript = try await test.acquire()
            let lane = Commit.Lane(session: unwanting.id, progress: LaneProgress(next: 10, isDone: true))
            #expect(try await test.commit(transcript.token, 1, [lane]) == .applied)
            #expect(try await test.session(unwanting)?.isCompleted == true)
        }
    }

    @Test("The marker of a session that wants the group is not passed", arguments: Backend.allCases)
    func wantedMarker(backend: Backend) async throws {
        try await backend.run { test in
            try await test.handOff.enable(audioGroups: groups, eventGroups: [], in: [test.partition])
            let session = TestSession(user: "u1")
            _ = try await test.handOff.project(
                UserSettings(revision: 1, isStorageOn: true), of: session.user, in: test.partition)
            let grant = try await test.register(session)
            _ = try await test.handOff.end(session.ending(epoch: grant.epoch), in: test.partition)
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            #expect(try await skip(test, coordinator.token) == .passed(0))
            #expect(try await test.session(session, .privateCloud)?.progress.isDone == false)
        }
    }

    @Test(
        "A group that somebody runs is left alone, until its lease is released or lapsed",
        arguments: Backend.allCases)
    func leased(backend: Backend) async throws {
        try await backend.run { test in
            try await test.handOff.enable(audioGroups: groups, eventGroups: [], in: [test.partition])
            let session = TestSession(user: "u1")
            try await test.register(session)
            _ = try await append(test, session, from: 0)
            let old = try await test.acquire(.coordinator, stream: nil)
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            let worker = try await test.acquire(.privateCloud)
            #expect(try await skip(test, old.token) == .fenced)
            #expect(try await skip(test, coordinator.token) == .held)
            let seen = try await test.sighting(.privateCloud)
            _ = try await test.handOff.renew([test.partition: worker.token], group: .privateCloud)
            #expect(try await skip(test, coordinator.token, lapsed: seen) == .held, "it beat since")
            let later = try await test.sighting(.privateCloud)
            #expect(try await skip(test, coordinator.token, lapsed: later) == .passed(1))
            _ = try await append(test, session, from: 2)
            try await test.handOff.release(worker.token, group: .privateCloud, partition: test.partition)
            #expect(try await skip(test, coordinator.token) == .passed(1))
        }
    }

    @Test(
        "A session that waits only for a group that is not enabled any more is completed",
        arguments: Backend.allCases)
    func disabledGroup(backend: Backend) async throws {
        try await backend.run { test in
            try await test.handOff.enable(audioGroups: groups, eventGroups: [], in: [test.partition])
            let sessions = [TestSession(user: "u1"), TestSession(user: "u2")]
            for session in sessions {
                let grant = try await test.register(session)
                _ = try await test.handOff.end(session.ending(epoch: grant.epoch), in: test.partition)
            }
            let transcript = try await test.acquire()
            let lane = Commit.Lane(session: sessions[0].id, progress: LaneProgress(next: 1, isDone: true))
            #expect(try await test.commit(transcript.token, 1, [lane]) == .applied)
            let coordinator = try await test.acquire(.coordinator, stream: nil)
            func complete(_ token: FencingToken) async throws -> Int {
                try await test.handOff.completeEnded(in: test.partition, token: token)
            }
            #expect(try await complete(coordinator.token) == 0, "both groups are enabled")
            try await test.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: [test.partition])
            #expect(try await complete(transcript.token) == -1)
            #expect(try await complete(coordinator.token) == 1)
            #expect(try await complete(coordinator.token) == 0)
            #expect(try await test.session(sessions[0])?.isCompleted == true)
            #expect(try await test.session(sessions[1])?.isCompleted == false)
        }
    }

    @Test(
        "A partition's incarnation is drawn once, and another one after its data is lost",
        arguments: Backend.allCases)
    func incarnation(backend: Backend) async throws {
        // FLUSHALL forgets the keys of every fleet: this one needs a server of its own.
        try await backend.runAlone { test in
            let enabled = EnabledGroups()
            #expect(try await test.handOff.incarnations(of: [test.partition]) == [:])
            let first = try await test.handOff.enable(enabled, in: [test.partition])
            #expect(first.count == 1)
            #expect(try await test.handOff.enable(enabled, in: [test.partition]) == first)
            #expect(try await test.handOff.incarnations(of: [test.partition]) == first)
            try await test.loseData()
            #expect(try await test.handOff.incarnations(of: [test.partition]) == [:])
            let second = try await test.handOff.enable(enabled, in: [test.partition])
            #expect(second.count == 1 && second != first)
        }
    }
}
