import AudioStreams
import EarshotModel
import TestSupport
import Testing

/// Schedules of protocol.md about parts of the hand-off that the model leaves out, on the in-memory hand-off itself.
@Suite("Protocol model: schedules on the product's hand-off")
struct ProductScheduleTests {
    private let handOff = InMemoryHandOff()
    private let partition = Partition(3)
    private let group = WorkerGroup.transcript

    private func acquire(_ member: Incarnation) async throws -> Lease.Grant {
        let seen = try await handOff.sightings(of: [partition], group: group)[partition]
        let attempt = Lease.Attempt(partition: partition, owner: member, lapsed: seen)
        let outcome = try await handOff.acquire([attempt], group: group, stream: .audio)[partition]
        guard case .granted(let grant)? = outcome else { throw Refused() }
        return grant
    }

    private struct Refused: Error {}

    @Test("H4: two devices of one user share a conversation, and no segment id")
    func segmentIDs() async throws {
        let phone = TestSession(user: "u")
        let desktop = TestSession(user: "u")
        let first = try await handOff.register(phone.registration(), in: partition)
        let second = try await handOff.register(desktop.registration(), in: partition)
        #expect(first.conversation == second.conversation)
        #expect(SegmentID.of(session: phone.id, ordinal: 0) != SegmentID.of(session: desktop.id, ordinal: 0))
    }

    @Test("H4: a successor counts on from the last ordinal that was committed")
    func ordinals() async throws {
        let session = TestSession(user: "u")
        _ = try await handOff.register(session.registration(), in: partition)
        let old = try await acquire(Incarnation(startingAs: "worker-0"))
        let lane = Commit.Lane(session: session.id, progress: LaneProgress(next: 4, ordinal: 2))
        #expect(try await handOff.commit(commit(old.token, 1, lane)) == .applied)
        let new = try await acquire(Incarnation(startingAs: "worker-1"))
        #expect(try await handOff.commit(commit(old.token, 2, lane)) == .fenced)
        let known = try await handOff.session(session.id, group: group, in: partition)
        #expect(known?.progress.ordinal == 2)
        #expect(try await handOff.commit(commit(new.token, 1, lane)) == .applied)
    }

    private func commit(_ token: FencingToken, _ number: Int64, _ lane: Commit.Lane) -> Commit {
        Commit(
            group: group, stream: .audio, partition: partition, token: token, number: number, position: nil,
            lanes: [lane])
    }

    @Test("H5: three crashes convict the entry in hand, and no bystander")
    func crashes() async throws {
        for number in 0..<3 {
            let grant = try await acquire(Incarnation(startingAs: "worker-\(number)"))
            // Others are taken in hand before it, and put down again.
            for hand in ["innocent", nil, "poison"] as [String?] {
                let isOurs = try await handOff.takeInHand(
                    hand, clearing: nil, token: grant.token, group: group, partition: partition)
                #expect(isOurs)
            }
        }
        let last = try await acquire(Incarnation(startingAs: "worker-3"))
        #expect(last.crashes == ["poison": 3])
    }

    @Test("M4: a woken worker publishes nothing over its successor's text")
    func interim() async throws {
        let session = TestSession(user: "u")
        _ = try await handOff.register(session.registration(), in: partition)
        let old = try await acquire(Incarnation(startingAs: "worker-0"))
        let new = try await acquire(Incarnation(startingAs: "worker-1"))
        let interim = LiveResult(kind: .interim, session: session.id, ordinal: 0, count: 1, text: "old")
        let final = LiveResult(kind: .final, session: session.id, ordinal: 0, count: 1, text: "new")
        let lane = Commit.Lane(
            session: session.id, progress: LaneProgress(next: 1, ordinal: 1), finals: [final])
        #expect(try await handOff.commit(commit(new.token, 1, lane)) == .applied)
        let isPublished = try await handOff.publish(
            interim, to: session.gateway, token: old.token, group: group, partition: partition)
        #expect(!isPublished)
        #expect(handOff.published.map(\.result) == [final])
        // A gateway that missed it finds it here.
        #expect(try await handOff.finals(of: session.id, in: partition) == [final])
    }

    @Test("M9: a process with another number of partitions is told the fleet's")
    func fleet() async throws {
        _ = try await handOff.joinFleet(FleetMeta(partitions: 256))
        let fleet = try await handOff.joinFleet(FleetMeta(partitions: 64))
        #expect(FleetMeta(partitions: 64).disagreement(with: fleet) != nil)
    }
}
