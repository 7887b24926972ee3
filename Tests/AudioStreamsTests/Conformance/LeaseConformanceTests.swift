import AudioStreams
import EarshotModel
import NIOCore
import TestSupport
import Testing

@Suite("Hand-off: leases")
struct LeaseConformanceTests {
    private func counter(_ token: FencingToken) -> Int? { Int(token.text.prefix { $0 != ":" }) }

    @Test("A lease nobody had is fresh, at the beginning of the stream", arguments: Backend.allCases)
    func fresh(backend: Backend) async throws {
        try await backend.run { test in
            let last = try await test.handOff.append(.init(string: "x"), to: test.partition)
            let grant = try await test.acquire()
            #expect(grant.mode == .fresh && grant.position == .start && grant.entriesRead == 0)
            #expect(grant.horizon == last && grant.crashes.isEmpty)
            #expect(counter(grant.token) == 1)
            let seen = try await test.sighting()
            #expect(seen == Lease.Sighting(token: grant.token, beat: 0, owner: "\(test.member)", isReleased: false))
            #expect(try await test.handOff.sightings(of: [Partition(9)], group: test.group).isEmpty)
        }
    }

    @Test("A held lease stays held for everybody else", arguments: Backend.allCases)
    func held(backend: Backend) async throws {
        try await backend.run { test in
            let grant = try await test.acquire()
            let rival = Lease.Attempt(partition: test.partition, owner: Incarnation(startingAs: "worker-1"))
            let outcome = try await test.handOff.acquire([rival], group: test.group, stream: .audio)
            #expect(outcome == [test.partition: .held(try await test.sighting())])
            // Another group's lease of the same partition is another lease.
            #expect(try await test.acquire(.record, as: rival.owner, stream: .events).mode == .fresh)
            #expect(try await test.sighting().token == grant.token)
        }
    }

    @Test("A released lease is free, and its token renews nothing for its next owner", arguments: Backend.allCases)
    func released(backend: Backend) async throws {
        try await backend.run { test in
            let first = try await test.acquire()
            try await test.handOff.release(FencingToken("9:9"), group: test.group, partition: test.partition)
            #expect(try await !test.sighting().isReleased)
            try await test.handOff.release(first.token, group: test.group, partition: test.partition)
            #expect(try await test.sighting().isReleased)
            let second = try await test.acquire(as: Incarnation(startingAs: "worker-1"))
            #expect(second.mode == .released && counter(second.token) == 2)
            #expect(second.token.text.split(separator: ":").last != first.token.text.split(separator: ":").last)
            try await test.handOff.release(first.token, group: test.group, partition: test.partition)
            #expect(try await !test.sighting().isReleased)
        }
    }

    @Test("Its own incarnation takes a lease again under a new token", arguments: Backend.allCases)
    func retaken(backend: Backend) async throws {
        try await backend.run { test in
            let first = try await test.acquire()
            let second = try await test.acquire()
            #expect(second.mode == .retaken && counter(second.token) == 2)
            #expect(try await test.commit(first.token, 1) == .fenced)
            #expect(try await test.commit(second.token, 1) == .applied)
        }
    }

    @Test("A lease lapses only with the exact sighting of its last sign of life", arguments: Backend.allCases)
    func lapsed(backend: Backend) async throws {
        try await backend.run { test in
            let first = try await test.acquire()
            let rival = Incarnation(startingAs: "worker-1")
            let stale = try await test.sighting()
            #expect(
                try await test.handOff.renew([test.partition: first.token], group: test.group) == [test.partition])
            let attempt = Lease.Attempt(partition: test.partition, owner: rival, lapsed: stale)
            let refused = try await test.handOff.acquire([attempt], group: test.group, stream: .audio)
            #expect(refused == [test.partition: .held(try await test.sighting())])
            let second = try await test.acquire(as: rival, lapsed: try await test.sighting())
            #expect(second.mode == .lapsed && counter(second.token) == 2)
        }
    }

    @Test("A stale token renews nothing", arguments: Backend.allCases)
    func renewStale(backend: Backend) async throws {
        try await backend.run { test in
            let first = try await test.acquire()
            let second = try await test.acquire()
            let before = try await test.sighting()
            #expect(try await test.handOff.renew([test.partition: first.token], group: test.group).isEmpty)
            #expect(try await test.sighting() == before)
            #expect(
                try await test.handOff.renew([test.partition: second.token], group: test.group) == [test.partition])
            #expect(try await test.sighting().beat == 1)
            #expect(try await test.handOff.renew([Partition(9): second.token], group: test.group).isEmpty)
        }
    }

    @Test("A crash counts against the entry in hand, on a lapse and on nothing else", arguments: Backend.allCases)
    func crashes(backend: Backend) async throws {
        try await backend.run { test in
            let rival = Incarnation(startingAs: "worker-1")
            var grant = try await test.acquire()
            func hand(_ hand: String?, clearing: String? = nil) async throws -> Bool {
                try await test.handOff.takeInHand(
                    hand, clearing: clearing, token: grant.token, group: test.group, partition: test.partition)
            }
            #expect(try await hand("s@1-0"))
            grant = try await test.acquire()
            #expect(grant.mode == .retaken && grant.crashes.isEmpty)
            #expect(try await hand("s@1-0"))
            try await test.handOff.release(grant.token, group: test.group, partition: test.partition)
            grant = try await test.acquire(as: rival)
            #expect(grant.mode == .released && grant.crashes.isEmpty)
            for count in 1...2 {
                #expect(try await hand("s@1-0"))
                let owner = count == 1 ? test.member : rival
                grant = try await test.acquire(as: owner, lapsed: try await test.sighting())
                #expect(grant.crashes == ["s@1-0": count])
            }
            // Nothing in hand, nothing counted.
            #expect(try await hand(nil))
            grant = try await test.acquire(lapsed: try await test.sighting())
            #expect(grant.crashes == ["s@1-0": 2])
            #expect(try await hand("t@2-0", clearing: "s@1-0"))
            grant = try await test.acquire(as: rival, lapsed: try await test.sighting())
            #expect(grant.crashes == ["t@2-0": 1])
        }
    }

    @Test(
        "A lapse that named nobody counts against nobody, and a settled partition takes nothing back",
        arguments: Backend.allCases)
    func settled(backend: Backend) async throws {
        try await backend.run { test in
            let owners = (0..<3).map { Incarnation(startingAs: "worker-\($0)") }
            var grant = try await test.acquire(as: owners[0])
            func lapse(_ owner: Int, hand: String?) async throws -> [String: Int] {
                _ = try await test.handOff.takeInHand(
                    hand, clearing: nil, token: grant.token, group: test.group, partition: test.partition)
                grant = try await test.acquire(as: owners[owner], lapsed: try await test.sighting())
                return grant.crashes
            }
            #expect(try await lapse(1, hand: nil).isEmpty)
            let named = grant.token
            #expect(try await lapse(2, hand: "s@6-0") == ["s@6-0": 1])
            #expect(try await lapse(0, hand: nil) == ["s@6-0": 1])
            _ = try await test.handOff.renew(
                [test.partition: grant.token], settled: [test.partition], group: test.group)
            _ = try await test.handOff.renew([test.partition: named], group: test.group)
            #expect(try await lapse(1, hand: "s@6-0") == ["s@6-0": 2])
        }
    }

    @Test("An owner that lapsed and comes back did not crash: its count is taken back", arguments: Backend.allCases)
    func takenBack(backend: Backend) async throws {
        try await backend.run { test in
            let owners = [test.member, Incarnation(startingAs: "worker-1")]
            var grant = try await test.acquire()
            func lapse(_ owner: Int, hand: String?) async throws -> [String: Int] {
                _ = try await test.handOff.takeInHand(
                    hand, clearing: nil, token: grant.token, group: test.group, partition: test.partition)
                grant = try await test.acquire(as: owners[owner], lapsed: try await test.sighting())
                return grant.crashes
            }
            var tokens = [grant.token]
            #expect(try await lapse(1, hand: nil).isEmpty)
            for round in 0..<4 {
                tokens.append(grant.token)
                #expect(try await lapse(round % 2, hand: "s@1-0") == ["s@1-0": round + 1])
            }
            // The first one named nothing, the others had it in hand; one finds out by a commit, and only once.
            for token in tokens.prefix(2) {
                _ = try await test.handOff.renew([test.partition: token], group: test.group)
            }
            for _ in 0..<2 { #expect(try await test.commit(tokens[2], 1) == .fenced) }
            #expect(try await lapse(0, hand: nil) == ["s@1-0": 2])
            for _ in 0..<2 {
                for token in tokens { _ = try await test.handOff.renew([test.partition: token], group: test.group) }
            }
            #expect(try await lapse(1, hand: nil).isEmpty)
        }
    }

    @Test("A stale token takes nothing in hand", arguments: Backend.allCases)
    func staleHand(backend: Backend) async throws {
        try await backend.run { test in
            let first = try await test.acquire()
            _ = try await test.acquire()
            let taken = try await test.handOff.takeInHand(
                "s@1-0", clearing: nil, token: first.token, group: test.group, partition: test.partition)
            #expect(!taken)
            let next = try await test.acquire(
                as: Incarnation(startingAs: "worker-1"), lapsed: try await test.sighting())
            #expect(next.crashes.isEmpty)
        }
    }

    @Test("A lease needs no stream", arguments: Backend.allCases)
    func withoutStream(backend: Backend) async throws {
        try await backend.run { test in
            let grant = try await test.acquire(.coordinator, stream: nil)
            #expect(grant.mode == .fresh && grant.horizon == .start)
            #expect(try await test.lag(.coordinator)?.length == 0)
        }
    }
}
