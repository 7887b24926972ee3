import EarshotModel
import PostgresClient
import TestSupport
import Testing
import WebhookDelivery

@Suite struct DeliveryStoreTests {
    @Test("Enqueueing again, in part or in whole, changes nothing; sequences count per lane")
    func idempotent() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            let first = fixture.deliveries(3, to: endpoint)
            let other = fixture.deliveries(2, to: endpoint, conversation: "c2")
            #expect(try await fixture.store.enqueue(first + other) == 5)
            #expect(try await fixture.store.enqueue(first + other) == 0)
            #expect(try await fixture.store.enqueue(fixture.deliveries(1, to: endpoint) + first) == 1)
            let listed = try await fixture.store.list(.init(), limit: 100)
            #expect(listed.filter { $0.conversation == "c1" }.map(\.sequence).sorted() == [1, 2, 3, 4])
            #expect(listed.filter { $0.conversation == "c2" }.map(\.sequence).sorted() == [1, 2])
        }
    }

    @Test("A lane goes one by one, lanes go beside each other")
    func order() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            _ = try await fixture.store.enqueue(
                fixture.deliveries(3, to: endpoint) + fixture.deliveries(1, to: endpoint, conversation: "c2"))
            var claimed = try await fixture.claim()
            #expect(claimed.map(\.conversation) == ["c1", "c2"])
            #expect(try await fixture.claim().isEmpty)
            for delivery in claimed { #expect(try await fixture.record(delivery, .delivered, status: 200)) }
            claimed = try await fixture.claim()
            #expect(claimed.map(\.sequence) == [2])
            #expect(claimed.first?.body == "{\"n\":1}")
        }
    }

    @Test("A failing delivery holds its lane while it says so, and then goes on alone")
    func hold() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            _ = try await fixture.store.enqueue(fixture.deliveries(3, to: endpoint))
            let first = try #require(try await fixture.claim().first)
            #expect(try await fixture.record(first, .retry(.zero, holdsLane: true)))
            let again = try #require(try await fixture.claim().first)
            #expect(again.id == first.id)
            #expect((again.attempts, again.failures) == (1, 1))
            #expect(try await fixture.record(again, .retry(.seconds(60), holdsLane: false)))
            #expect(try await fixture.claim().map(\.sequence) == [2])
            let shown = try #require(try await fixture.store.show(first.id))
            #expect(shown.attempts.count == 2)
            #expect(shown.delivery.state == .pending)
        }
    }

    @Test("M7: what a worker that died had claimed is due again; what a zombie writes changes nothing")
    func zombie() async throws {
        var limits = DeliveryLimits()
        limits.claimDuration = .milliseconds(50)
        try await StoreFixture.with(limits) { fixture in
            let endpoint = try await fixture.endpoint()
            _ = try await fixture.store.enqueue(fixture.deliveries(2, to: endpoint))
            let lost = try #require(try await fixture.claim().first)
            let taken = try await eventually("the claim runs out") { try await fixture.claim().first }
            #expect(taken.id == lost.id)
            #expect(taken.attempts == 0, "a crash spends no attempt")
            #expect(try await fixture.record(lost, .dead(disables: true)) == false)
            #expect(try await fixture.record(taken, .delivered, status: 200))
            #expect(try await fixture.record(lost, .retry(.zero, holdsLane: true)) == false)
            #expect(try await fixture.store.show(lost.id)?.delivery.state == .delivered)
            #expect(try await fixture.endpoints.endpoint(endpoint.id)?.state == .enabled)
        }
    }

    @Test("Concurrency and rate hold over all workers")
    func fleetWide() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint { $0.concurrency = 3 }
            let paced = try await fixture.endpoint("bob") { $0.rate = 2 }
            let lanes = (0..<10).flatMap { fixture.deliveries(1, to: endpoint, conversation: "c\($0)") }
            let slow = (0..<10).flatMap { fixture.deliveries(1, to: paced, conversation: "d\($0)") }
            _ = try await fixture.store.enqueue(lanes + slow)
            let claimed = try await withThrowingTaskGroup(of: [ClaimedDelivery].self) { tasks in
                for _ in 0..<4 { tasks.addTask { try await fixture.claim(20) } }
                return try await tasks.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.filter { $0.endpoint.id == endpoint.id }.count == 3)
            #expect((1...3).contains(claimed.filter { $0.endpoint.id == paced.id }.count))
            #expect(Set(claimed.map(\.id)).count == claimed.count)
        }
    }

    @Test("Five days of nothing but failures disable an endpoint, a success in between does not; the owner is told")
    func disabling() async throws {
        var limits = DeliveryLimits()
        limits.failingMaximum = .milliseconds(30)
        try await StoreFixture.with(limits) { fixture in
            let failing = try await fixture.endpoint()
            let other = try await fixture.endpoint { $0.events = [.endpointDisabled] }
            _ = try await fixture.store.enqueue(fixture.deliveries(1, to: failing))
            try await eventually("the endpoint is disabled") {
                guard let delivery = try await fixture.claim().first(where: { $0.endpoint.id == failing.id }) else {
                    return try await fixture.endpoints.endpoint(failing.id)?.state == .disabled
                }
                _ = try await fixture.record(delivery, .retry(.zero, holdsLane: true))
                return false
            }
            #expect(try await fixture.endpoints.endpoint(failing.id)?.reason?.hasPrefix("nothing but failures") == true)
            let told = try await fixture.store.list(.init(endpoint: other.id), limit: 10)
            #expect(told.map(\.type) == ["endpoint.disabled"])
            _ = try await fixture.store.enqueue(fixture.deliveries(1, to: failing, conversation: "c9"))
            #expect(
                try await fixture.claim().allSatisfy { $0.endpoint.id == other.id }, "a disabled endpoint gets nothing")
            try await fixture.endpoints.set(.enabled, reason: nil, of: failing.id)
            #expect(Set(try await fixture.claim().map(\.endpoint.id)) == [failing.id], "and goes on where it stopped")
        }
    }

    @Test("410 disables at once, a pause keeps an endpoint quiet, and others go on")
    func gone() async throws {
        try await StoreFixture.with { fixture in
            let gone = try await fixture.endpoint()
            let paused = try await fixture.endpoint()
            let well = try await fixture.endpoint()
            for endpoint in [gone, paused, well] {
                _ = try await fixture.store.enqueue(
                    (0..<2).flatMap { fixture.deliveries(1, to: endpoint, conversation: "c\($0)") })
            }
            let claimed = try await fixture.claim(10, each: 1).deliveries
            #expect(claimed.count == 3)
            let log = AttemptLog(at: 0, milliseconds: 0, status: 410)
            let records = claimed.map { delivery in
                switch delivery.endpoint.id {
                case gone.id: AttemptRecord(of: delivery, result: .dead(disables: true), failures: 1, log: log)
                case paused.id:
                    AttemptRecord(
                        of: delivery, result: .retry(.zero, holdsLane: true), failures: 1, log: log,
                        pause: .seconds(600))
                default: AttemptRecord(of: delivery, result: .delivered, failures: 0, log: log)
                }
            }
            let recorded = try await fixture.store.record(records)
            #expect(recorded.accepted.count == 3)
            let reason = PostgresDeliveryStore.goneReason
            #expect(
                Array(recorded.disabled.values) == [
                    DisabledEndpoint(id: gone.id, owner: gone.owner, url: "https://example.com/hook", reason: reason)
                ])
            let next = try await fixture.claim()
            #expect(Set(next.map(\.endpoint.id)) == [well.id])
        }
    }

    @Test("What dies without a request is no attempt, and does not count towards the days of failing")
    func unsent() async throws {
        var limits = DeliveryLimits()
        limits.failingMaximum = .zero
        try await StoreFixture.with(limits) { fixture in
            let endpoint = try await fixture.endpoint()
            _ = try await fixture.store.enqueue(fixture.deliveries(2, to: endpoint))
            let log = AttemptLog(at: WallClock.microseconds, milliseconds: 0, error: EventFanOut.tooLarge)
            let unsent = try #require(try await fixture.claim().first)
            let record = AttemptRecord(
                of: unsent, result: .dead(disables: false), failures: 0, log: log, wasSent: false)
            #expect(try await fixture.store.record([record]).disabled.isEmpty)
            let health = try await fixture.client.query("SELECT failing_since FROM webhook_health")
            #expect(try health[0].decode("failing_since", as: String?.self) == nil)
            let shown = try #require(try await fixture.store.show(unsent.id))
            #expect((shown.delivery.state, shown.delivery.attempts, shown.attempts.count) == (.dead, 0, 0))
            #expect(shown.delivery.error == EventFanOut.tooLarge)
            let next = try #require(try await fixture.claim().first, "its lane goes on")
            #expect(next.sequence == 2)
            let failed = AttemptRecord(of: next, result: .dead(disables: false), failures: 1, log: log)
            let disabled = try await fixture.store.record([failed]).disabled
            #expect(disabled[endpoint.id] != nil, "one that was sent does count")
        }
    }

    @Test("An endpoint or a delivery that cannot be read stops nobody else, and is named without what it holds")
    func unreadable() async throws {
        try await StoreFixture.with { fixture in
            let broken = try await fixture.endpoint()
            let well = try await fixture.endpoint()
            for endpoint in [broken, well] {
                _ = try await fixture.store.enqueue(
                    fixture.deliveries(1, to: endpoint) + fixture.deliveries(1, to: endpoint, conversation: "c2"))
            }
            try await fixture.client.execute(
                "UPDATE webhook_secrets SET secret = 'whsec_hidden!' WHERE endpoint = \(broken.id.description)::uuid")
            try await fixture.client.execute(
                "UPDATE webhook_deliveries SET event_type = 'of.tomorrow' WHERE conversation = 'c2'")
            let claimed = try await fixture.claim(10, each: 10)
            #expect(claimed.deliveries.map(\.endpoint.id) == [well.id])
            let other = try #require(
                try await fixture.store.list(.init(endpoint: well.id), limit: 10).first { $0.conversation == "c2" })
            #expect(Set(claimed.unreadable.keys) == [broken.id.description, other.id.description])
            #expect(claimed.unreadable[broken.id.description] == "the secret is not whsec_ and base64")
            let alice = try #require(UserID("alice"))
            #expect(try await fixture.endpoints.endpoints(of: alice).map(\.id) == [well.id])
            let error = await #expect(throws: WebhookError.self) {
                _ = try await fixture.endpoints.list(owner: nil, limit: 10)
            }
            #expect(error?.message.contains(broken.id.description) == true)
            #expect(error?.message.contains("hidden") == false)
        }
    }

    @Test("A test of an endpoint leaves a delivery with its attempt, and no replay takes it up")
    func test() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            let now = WallClock.microseconds
            let test = ClaimedDelivery.test(of: endpoint, at: now)
            let log = AttemptLog(at: now, milliseconds: 7, status: 500, error: "status 500", response: "no")
            try await fixture.store.recordTest(test, log, isDelivered: false)
            let shown = try #require(try await fixture.store.show(test.id))
            #expect((shown.delivery.type, shown.delivery.state, shown.delivery.attempts) == ("endpoint.test", .dead, 1))
            #expect(shown.attempts == [log])
            #expect(shown.body == test.body)
            _ = try await fixture.store.startReplay(since: 0, endpoint: nil)
            #expect(try await fixture.store.stepReplay() == 0)
        }
    }

    @Test("A delivery that died can be retried by hand with the whole schedule; a delivered one cannot")
    func retry() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            _ = try await fixture.store.enqueue(fixture.deliveries(2, to: endpoint))
            let dead = try #require(try await fixture.claim().first)
            #expect(try await fixture.record(dead, .dead(disables: false)))
            try await fixture.store.retry(dead.id)
            let claimed = try await fixture.claim()
            let again = try #require(claimed.first { $0.id == dead.id })
            #expect((again.attempts, again.failures) == (1, 0))
            #expect(claimed.count == 2)
            #expect(try await fixture.record(again, .delivered, status: 200))
            for (id, code) in [(dead.id, WebhookError.Code.conflict), (UniqueID(high: 1, low: 1), .notFound)] {
                let error = await #expect(throws: WebhookError.self) { try await fixture.store.retry(id) }
                #expect(error?.code == code)
            }
        }
    }

    @Test("A body that waits for the record is fixed by the first who builds it")
    func lateBody() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            var waiting = fixture.deliveries(1, to: endpoint)[0]
            waiting.body = nil
            waiting.source = "{}"
            _ = try await fixture.store.enqueue([waiting])
            let claimed = try #require(try await fixture.claim().first)
            #expect(claimed.source == "{}")
            try await fixture.store.giveBack([claimed], after: .zero)
            let again = try #require(try await fixture.claim().first)
            #expect(again.attempts == 0)
            #expect(try await fixture.store.setBody("{\"a\":1}", of: claimed) == false)
            #expect(try await fixture.store.setBody("{\"a\":2}", of: again))
            #expect(try await fixture.store.show(again.id)?.body == "{\"a\":2}")
        }
    }

    @Test("Old deliveries and lanes are removed, young ones and unfinished ones stay")
    func cleanUp() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            _ = try await fixture.store.enqueue(fixture.deliveries(3, to: endpoint))
            for result in [AttemptRecord.Result.delivered, .dead(disables: false)] {
                let delivery = try #require(try await fixture.claim().first)
                #expect(try await fixture.record(delivery, result))
            }
            #expect(try await fixture.store.cleanUp() == 0)
            var limits = DeliveryLimits()
            limits.deliveredKeep = .zero
            let impatient = PostgresDeliveryStore(client: fixture.client, limits: limits)
            #expect(try await impatient.cleanUp() == 1)
            #expect(try await fixture.store.list(.init(), limit: 10).map(\.state) == [.pending, .dead])
        }
    }
}
