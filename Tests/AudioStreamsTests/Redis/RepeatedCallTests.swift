import EarshotModel
import NIOCore
import RedisClient
import TestSupport
import Testing

@testable import AudioStreams

/// A call whose reply was lost is sent again as it was; the second execution must not change what the first one did.
@Suite("Hand-off: calls executed twice")
struct RepeatedCallTests {
    private let partition = Partition(7)

    @Test("An acquisition executed twice is one lease, one crash, one mode")
    func acquire() async throws {
        try await RedisFleet.with { fleet in
            let commands = HandOffCommands(keys: fleet.keys, limits: fleet.limits)
            func twice(_ attempt: Lease.Attempt) async throws -> Lease.Grant {
                let command = commands.acquire(attempt, group: .transcript, stream: .audio)
                let first = Lease.Outcome(reply: try await fleet.client.execute(command))
                let second = Lease.Outcome(reply: try await fleet.client.execute(command))
                #expect(first != nil && first == second)
                guard case .granted(let grant)? = second else { throw Unexpected("refused: \(second as Any)") }
                return grant
            }
            let first = try await twice(.init(partition: partition, owner: Incarnation(startingAs: "a")))
            #expect(first.mode == .fresh && first.token.text.hasPrefix("1:"))
            let isOurs = try await fleet.handOff.takeInHand(
                "s@1-0", clearing: nil, token: first.token, group: .transcript, partition: partition)
            #expect(isOurs)
            let seen = try await fleet.handOff.sightings(of: [partition], group: .transcript)[partition]
            let second = try await twice(
                .init(partition: partition, owner: Incarnation(startingAs: "b"), lapsed: seen))
            #expect(second.mode == .lapsed && second.token.text.hasPrefix("2:") && second.crashes == ["s@1-0": 1])
            try await fleet.handOff.release(second.token, group: .transcript, partition: partition)
            let third = try await twice(.init(partition: partition, owner: Incarnation(startingAs: "a")))
            #expect(third.mode == .released && third.token.text.hasPrefix("3:"))
        }
    }

    @Test("A text of the device's cannot reach into session.started")
    func injection() async throws {
        try await RedisFleet.with { fleet in
            let session = TestSession(user: "u1")
            var registration = session.registration()
            registration.parameters.source = "\"}%1@conversation@{\\"
            let grant = try await fleet.handOff.register(registration, in: partition)
            let entries = try await fleet.handOff.entries(of: .events, in: partition, after: .start, count: 9)
            let event = try SessionEvent(json: try #require(entries.first).payload)
            #expect(event.conversation == grant.conversation && event.uid == "u1")
            #expect(event.source == registration.parameters.source)
        }
    }
}
