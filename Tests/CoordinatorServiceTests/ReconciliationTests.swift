import AudioStreams
import EarshotModel
import Supervision
import TestSupport
import Testing

@testable import CoordinatorService

@Suite("H1: a round of reconciliation, and pauses of the process in the middle of it")
struct ReconciliationTests {
    @Test("What was seen before a pause ends nobody; what is asked for behind it does")
    func pause() async throws {
        let limits = Limits()
        let handOff = InMemoryHandOff(limits: limits)
        let session = TestSession(user: "u1")
        let partition = Partition(0)
        _ = try await handOff.register(session.registration(), in: partition)
        var round = Reconciliation(
            configuration: Coordinator.Configuration(
                member: Incarnation(startingAs: "coordinator-0"), partitions: 1, limits: limits),
            handOff: handOff, metrics: CoordinatorMetrics(factory: CountingMetrics()),
            supervision: Supervision("test", logger: RedisFleet.logger, metrics: CountingMetrics()),
            logger: RedisFleet.logger)
        let member = Incarnation(startingAs: "coordinator-0")
        func lease() async throws -> FencingToken {
            let attempt = Lease.Attempt(partition: partition, owner: member, lapsed: nil)
            let outcome = try await handOff.acquire([attempt], group: .coordinator, stream: nil)[partition]
            guard case .granted(let grant) = outcome else { throw HandOffError(.refused, "the lease is ours") }
            return grant.token
        }
        let book = LeaseBook()
        book.replace([partition: try await lease()])
        let start = ContinuousClock.now
        let beats = [session.gateway.description: Int64(1)]
        func isLive() async throws -> Bool { try await handOff.liveSessions(in: [partition])[partition] != nil }

        // Asked half a second after the first look; the process goes on an hour later.
        round.gateways.sawMembers(beats, at: start)
        round.gateways.sawMembers(beats, at: start + .seconds(3_600))
        try await round.endOrphans(in: [partition], asOf: start + .milliseconds(500), book)
        #expect(try await isLive())
        // A beat that was new then is as old as its answer, however early it was asked for.
        round.gateways.sawMembers([session.gateway.description: 2], at: start + .seconds(3_601))
        try await round.endOrphans(in: [partition], asOf: start + .seconds(3_602), book)
        #expect(try await isLive())
        // Another has taken the partition meanwhile (H2).
        let taken = try await lease()
        try await round.endOrphans(in: [partition], asOf: start + .seconds(3_601) + limits.gatewayLapse, book)
        #expect(try await isLive())
        book.replace([partition: taken])
        try await round.endOrphans(in: [partition], asOf: start + .seconds(3_601) + limits.gatewayLapse, book)
        #expect(try await !isLive())
    }
}
