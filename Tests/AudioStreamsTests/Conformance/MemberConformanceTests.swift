import AudioStreams
import EarshotModel
import Testing

@Suite("Hand-off: fleet and members")
struct MemberConformanceTests {
    @Test("The first process writes the fleet's facts, the others get them", arguments: Backend.allCases)
    func fleet(backend: Backend) async throws {
        try await backend.run { test in
            #expect(try await test.handOff.joinFleet(FleetMeta(partitions: 64)) == FleetMeta(partitions: 64))
            let second = try await test.handOff.joinFleet(FleetMeta(partitions: 32, hash: "crc32", version: 2))
            #expect(second == FleetMeta(partitions: 64))
            let mine = FleetMeta(partitions: 32)
            #expect(mine.disagreement(with: second)?.contains("64") == true)
        }
    }

    @Test("A join ends the older incarnations of its own name and of no other", arguments: Backend.allCases)
    func join(backend: Backend) async throws {
        try await backend.run { test in
            let old = Incarnation(startingAs: "worker-1")
            let new = Incarnation(startingAs: "worker-1")
            let neighbour = Incarnation(startingAs: "worker-10")
            try await test.handOff.join(kind: "transcript", as: old)
            try await test.handOff.join(kind: "transcript", as: neighbour)
            try await test.handOff.join(kind: "gateway", as: old)
            try await test.handOff.join(kind: "transcript", as: new)
            let members = try await test.handOff.members(kind: "transcript")
            #expect(Set(members.keys) == [new.description, neighbour.description])
            #expect(Set(try await test.handOff.members(kind: "gateway").keys) == [old.description])
        }
    }

    @Test("A beat raises its own counter and returns all", arguments: Backend.allCases)
    func beat(backend: Backend) async throws {
        try await backend.run { test in
            let first = Incarnation(startingAs: "a")
            let second = Incarnation(startingAs: "b")
            try await test.handOff.join(kind: "transcript", as: first)
            try await test.handOff.join(kind: "transcript", as: second)
            let before = try await test.handOff.members(kind: "transcript")
            _ = try await test.handOff.beat(kind: "transcript", as: first)
            let after = try await test.handOff.beat(kind: "transcript", as: first)
            #expect(after[first.description] == before[first.description].map { $0 + 2 })
            #expect(after[second.description] == before[second.description])
        }
    }

    @Test("Only a member whose beat is still the same is forgotten", arguments: Backend.allCases)
    func forget(backend: Backend) async throws {
        try await backend.run { test in
            let dead = Incarnation(startingAs: "a")
            let living = Incarnation(startingAs: "b")
            for member in [dead, living] { try await test.handOff.join(kind: "transcript", as: member) }
            let seen = try await test.handOff.members(kind: "transcript")
            _ = try await test.handOff.beat(kind: "transcript", as: living)
            var forgotten: [String] = []
            for (member, beat) in seen
            where try await test.handOff.forget(kind: "transcript", member: member, beat: beat) {
                forgotten.append(member)
            }
            #expect(forgotten == [dead.description])
            #expect(Set(try await test.handOff.members(kind: "transcript").keys) == [living.description])
            #expect(try await !test.handOff.forget(kind: "transcript", member: dead.description, beat: 1))
        }
    }

    @Test("Who leaves is gone, and leaving twice is no error", arguments: Backend.allCases)
    func leave(backend: Backend) async throws {
        try await backend.run { test in
            let member = Incarnation(startingAs: "a")
            try await test.handOff.join(kind: "transcript", as: member)
            try await test.handOff.leave(kind: "transcript", as: member)
            try await test.handOff.leave(kind: "transcript", as: member)
            #expect(try await test.handOff.members(kind: "transcript").isEmpty)
            // A beat brings back who was forgotten, for instance by a server that lost its data.
            #expect(try await test.handOff.beat(kind: "transcript", as: member) == [member.description: 1])
        }
    }
}
