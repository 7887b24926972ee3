import EarshotModel
import PostgresClient
import TestSupport
import Testing
import WebhookDelivery

@Suite struct ReplayTests {
    /// Enqueues deliveries in lanes of their own and lets every second one die.
    private func half(_ fixture: StoreFixture, _ endpoint: WebhookEndpoint, count: Int) async throws -> Set<UniqueID> {
        let deliveries = (0..<count).flatMap { fixture.deliveries(1, to: endpoint, conversation: "c\($0)") }
        _ = try await fixture.store.enqueue(deliveries)
        var dead: Set<UniqueID> = []
        for (index, delivery) in try await fixture.claim(count).enumerated() {
            if index.isMultiple(of: 2) { dead.insert(delivery.id) }
            #expect(
                try await fixture.record(delivery, index.isMultiple(of: 2) ? .dead(disables: false) : .delivered))
        }
        return dead
    }

    @Test("A replay that is killed half way goes on, and repeats nothing that was delivered")
    func killed() async throws {
        var limits = DeliveryLimits()
        limits.replayInHand = 5
        limits.slots = 1_000
        try await StoreFixture.with(limits) { fixture in
            let endpoint = try await fixture.endpoint { $0.concurrency = 64 }
            let dead = try await half(fixture, endpoint, count: 40)
            #expect(dead.count == 20)
            let job = try await fixture.store.startReplay(since: 0, endpoint: endpoint.id)
            #expect(try await fixture.store.stepReplay() == 5)
            #expect(try await fixture.store.stepReplay() == nil, "five are in hand")
            var sent: [UniqueID] = []
            for delivery in try await fixture.claim(5) {
                sent.append(delivery.id)
                #expect(try await fixture.record(delivery, .delivered, status: 200))
            }
            // A process dies in the middle of a step: its transaction is as if it had never been.
            struct Killed: Error {}
            await #expect(throws: Killed.self) {
                try await fixture.client.withTransaction { connection in
                    try await connection.execute("UPDATE webhook_deliveries SET state = 'pending' WHERE state = 'dead'")
                    throw Killed()
                }
            }
            while let taken = try await fixture.store.stepReplay() {
                if taken == 0 { break }
                for delivery in try await fixture.claim(10) {
                    sent.append(delivery.id)
                    #expect(try await fixture.record(delivery, .delivered, status: 200))
                }
            }
            #expect(Set(sent) == dead)
            #expect(sent.count == dead.count, "each once")
            let progress = try #require(try await fixture.store.progress(ofReplay: job))
            #expect((progress.taken, progress.delivered, progress.pending, progress.dead) == (20, 20, 0, 0))
            #expect(progress.isDone)
            _ = try await fixture.store.startReplay(since: 0, endpoint: nil)
            #expect(try await fixture.store.stepReplay() == 0, "nothing is left to replay")
        }
    }

    @Test("A replay whose endpoint takes nothing holds up no other one, not even one of all endpoints")
    func beside() async throws {
        var limits = DeliveryLimits()
        limits.replayInHand = 2
        limits.slots = 1_000
        try await StoreFixture.with(limits) { fixture in
            let stuck = try await fixture.endpoint { $0.concurrency = 64 }
            let well = try await fixture.endpoint("bob") { $0.concurrency = 64 }
            _ = try await half(fixture, stuck, count: 12)
            let dead = try await half(fixture, well, count: 12)
            try await fixture.endpoints.set(.disabled, reason: "test", of: stuck.id)
            let first = try await fixture.store.startReplay(since: 0, endpoint: stuck.id)
            #expect(try await fixture.store.stepReplay() == 2)
            #expect(try await fixture.store.stepReplay() == nil, "it has no room, for as long as it is disabled")
            let second = try await fixture.store.startReplay(since: 0, endpoint: well.id)
            var sent: Set<UniqueID> = []
            while try await fixture.store.progress(ofReplay: second)?.isDone != true {
                _ = try #require(try await fixture.store.stepReplay())
                for delivery in try await fixture.claim() {
                    sent.insert(delivery.id)
                    #expect(try await fixture.record(delivery, .delivered, status: 200))
                }
            }
            #expect(sent == dead)
            let progress = try #require(try await fixture.store.progress(ofReplay: first))
            #expect((progress.taken, progress.pending, progress.takenAllAt) == (2, 2, nil))
        }
    }

    @Test("A replay of all endpoints: one that takes nothing holds up no other, and a disabled one gets nothing")
    func all() async throws {
        var limits = DeliveryLimits()
        limits.replayInHand = 2
        limits.slots = 1_000
        try await StoreFixture.with(limits) { fixture in
            let hanging = try await fixture.endpoint { $0.concurrency = 64 }
            let disabled = try await fixture.endpoint("carol") { $0.concurrency = 64 }
            let well = try await fixture.endpoint("bob") { $0.concurrency = 64 }
            // The oldest ones are of those that take nothing.
            _ = try await half(fixture, hanging, count: 12)
            _ = try await half(fixture, disabled, count: 12)
            let dead = try await half(fixture, well, count: 12)
            try await fixture.endpoints.set(.disabled, reason: "test", of: disabled.id)
            let job = try await fixture.store.startReplay(since: 0, endpoint: nil)
            var sent: Set<UniqueID> = []
            while try await fixture.store.stepReplay() != nil {
                for delivery in try await fixture.claim() where delivery.endpoint.id == well.id {
                    sent.insert(delivery.id)
                    #expect(try await fixture.record(delivery, .delivered, status: 200))
                }
            }
            #expect(sent == dead)
            let progress = try #require(try await fixture.store.progress(ofReplay: job))
            #expect((progress.taken, progress.delivered, progress.pending, progress.dead) == (8, 6, 2, 0))
            #expect(!progress.isDone && progress.takenAllAt == nil && progress.endpoint == nil)
        }
    }

    @Test("What dies again in a replay stays dead and ends it; other endpoints and older deliveries are left alone")
    func bounded() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            let other = try await fixture.endpoint("bob")
            _ = try await half(fixture, endpoint, count: 4)
            _ = try await half(fixture, other, count: 4)
            let job = try await fixture.store.startReplay(since: 0, endpoint: endpoint.id)
            #expect(try await fixture.store.stepReplay() == 2)
            for delivery in try await fixture.claim() {
                #expect(delivery.endpoint.id == endpoint.id)
                #expect(try await fixture.record(delivery, .dead(disables: false)))
            }
            #expect(try await fixture.store.stepReplay() == 0)
            #expect(try await fixture.store.stepReplay() == nil)
            #expect(try await fixture.store.progress(ofReplay: job)?.dead == 2)
            _ = try await fixture.store.startReplay(since: WallClock.microseconds + 60_000_000, endpoint: nil)
            #expect(try await fixture.store.stepReplay() == 0, "nothing is that young")
            await #expect(throws: WebhookError.self) {
                try await fixture.store.startReplay(since: 0, endpoint: UniqueID(high: 1, low: 1))
            }
        }
    }
}
