import EarshotModel
import HTTPTransport
import Testing
import WebhookDelivery

@Suite struct PolicyTests {
    private let limits = DeliveryLimits()

    @Test("Retries come after 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h, give or take a fifth, and then none")
    func schedule() {
        let schedule = RetrySchedule(limits)
        let seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
        for (index, expected) in seconds.enumerated() {
            for (chance, factor) in [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)] {
                let next = schedule.next(failures: index + 1, retryAfter: nil, isStrict: false, chance: chance)
                #expect(next == .retry(.seconds(Double(expected) * factor), holdsLane: index < 2))
            }
        }
        #expect(schedule.next(failures: 10, retryAfter: nil, isStrict: false, chance: 0.5) == .dead)
        #expect(schedule.next(failures: 10, retryAfter: .seconds(5), isStrict: true, chance: 0.5) == .dead)
    }

    @Test("A strict endpoint's lane waits for every retry")
    func strict() {
        let next = RetrySchedule(limits).next(failures: 8, retryAfter: nil, isStrict: true, chance: 0.5)
        #expect(next == .retry(.seconds(72_000), holdsLane: true))
    }

    @Test("Retry-After lengthens a pause, never shortens it, up to an hour, and an absurd one lets the lane go")
    func retryAfter() {
        let schedule = RetrySchedule(limits)
        func next(_ seconds: Int64) -> RetrySchedule.Next {
            schedule.next(failures: 1, retryAfter: .seconds(seconds), isStrict: false, chance: 0.5)
        }
        #expect(next(1) == .retry(.seconds(5), holdsLane: true))
        #expect(next(60) == .retry(.seconds(60), holdsLane: true))
        #expect(next(86_400) == .retry(.seconds(3_600), holdsLane: false))
    }

    @Test("Retry-After is seconds or a date")
    func retryAfterForms() {
        #expect(RetryAfter.parse("120", now: 0) == .seconds(120))
        #expect(RetryAfter.parse("99999999999999999999999", now: 0) == .seconds(Int64(Int32.max)))
        #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:49:37 GMT", now: 784_111_777 - 30) == .seconds(30))
        #expect(RetryAfter.parse("Sun, 06 Nov 1994 08:49:37 GMT", now: 1_700_000_000) == .zero)
        for text in ["", "-1", "soon", "1.5", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT"] {
            #expect(RetryAfter.parse(text, now: 0) == nil)
        }
    }

    // MARK: Gate

    private func begin(_ gate: inout EndpointGate, _ now: ContinuousClock.Instant) throws -> CircuitBreaker.Ticket {
        let ticket = gate.begin(now: now)
        return try #require(ticket)
    }

    @Test("An unknown endpoint gets two requests at once, and more with every success, up to its setting")
    func slowStart() throws {
        let now = ContinuousClock.now
        var gate = EndpointGate(limits, now: now)
        #expect(gate.allowance(now: now) == 2)
        for expected in [4, 8, 8] {
            let ticket = try begin(&gate, now)
            gate.end(.success, ticket, concurrency: 8, now: now)
            #expect(gate.allowance(now: now) == expected)
        }
        let ticket = try begin(&gate, now)
        gate.end(.failure, ticket, concurrency: 8, now: now)
        #expect(gate.allowance(now: now) == 1)
    }

    @Test("Five failures in a row close the gate; one probe decides")
    func breaker() throws {
        let now = ContinuousClock.now
        var gate = EndpointGate(limits, now: now)
        for _ in 0..<5 {
            let ticket = try begin(&gate, now)
            gate.end(.failure, ticket, concurrency: 8, now: now)
        }
        #expect(gate.allowance(now: now) == 0)
        let refused = gate.begin(now: now) == nil
        #expect(refused)
        let opensAt = try #require(gate.opensAt(now: now))
        #expect(opensAt == now + limits.breakerPause)
        #expect(gate.allowance(now: opensAt) == 1)
        let probe = try begin(&gate, opensAt)
        #expect(gate.allowance(now: opensAt) == 0)
        gate.end(.success, probe, concurrency: 8, now: opensAt)
        #expect(gate.allowance(now: opensAt) > 0)
    }

    @Test("A receiver that asks to be left alone gets nothing until then, however well it is")
    func pause() throws {
        let now = ContinuousClock.now
        var gate = EndpointGate(limits, now: now)
        let ticket = try begin(&gate, now)
        gate.pause(until: now + .seconds(600))
        gate.pause(until: now + .seconds(5))
        gate.end(.success, ticket, concurrency: 8, now: now)
        let almost = now + .seconds(599)
        #expect(gate.allowance(now: almost) == 0)
        let refused = gate.begin(now: almost) == nil
        #expect(refused)
        #expect(gate.opensAt(now: almost) == now + .seconds(600))
        #expect(gate.allowance(now: now + .seconds(600)) > 0)
        #expect(gate.opensAt(now: now + .seconds(600)) == nil)
    }

    // MARK: Plan

    private func candidate(
        _ name: String, due: Int, concurrency: Int = 8, inFlight: Int = 0, rate: Int = 1_000, nextAt: Int64 = 0
    ) -> ClaimPlan.Candidate {
        ClaimPlan.Candidate(
            endpoint: name, due: due, concurrency: concurrency, inFlight: inFlight, rate: rate, nextAt: nextAt)
    }

    private func counts(_ plan: ClaimPlan) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: plan.shares.map { ($0.endpoint, $0.count) })
    }

    @Test("Slots are shared evenly; what one does not need the others get")
    func fairness() {
        let plan = ClaimPlan(
            [candidate("a", due: 100), candidate("b", due: 1), candidate("c", due: 100)], slots: 10, slotsMaximum: 100,
            allowances: [:], now: 0)
        #expect(counts(plan) == ["a": 5, "b": 1, "c": 4])
    }

    @Test("Nobody gets more than its concurrency, its gate, or a quarter of all slots")
    func caps() {
        let plan = ClaimPlan(
            [
                candidate("busy", due: 9, concurrency: 4, inFlight: 3), candidate("new", due: 9),
                candidate("many", due: 99, concurrency: 64), candidate("resting", due: 9),
            ], slots: 40, slotsMaximum: 40, allowances: ["new": 2, "resting": 0], now: 0)
        #expect(counts(plan) == ["busy": 1, "new": 2, "many": 10])
    }

    @Test("Endpoints that do not answer, however many, leave the others half of the slots")
    func unproven() throws {
        let many = (0..<50).map { candidate("new\($0)", due: 9) }
        let plan = ClaimPlan(
            many + [candidate("good", due: 9)], slots: 40, slotsMaximum: 40, allowances: [:], proven: ["good"],
            unprovenRoom: 20, now: 0)
        #expect(counts(plan)["good"] == 8)
        #expect(plan.shares.reduce(0) { $0 + $1.count } == 28)

        var limits = DeliveryLimits()
        limits.slots = 8
        let gates = EndpointGates(limits: limits)
        func id(_ number: Int) -> UniqueID { UniqueID(high: 1, low: UInt64(number)) }
        let tickets = try (0..<3).map { try #require(gates.begin(id($0))) }
        #expect(gates.unprovenRoom == 1 && !gates.isProven(id(0)))
        gates.end(id(0), .success, tickets[0], concurrency: 8)
        #expect(gates.unprovenRoom == 2 && gates.isProven(id(0)))
        // Requests of one that has proven itself do not count, and do again once it fails.
        let more = try (0..<3).map { _ in try #require(gates.begin(id(0))) }
        #expect(gates.unprovenRoom == 2)
        gates.end(id(0), .failure, more[0], concurrency: 8)
        #expect(gates.unprovenRoom == 0 && !gates.isProven(id(0)))
        for ticket in more.dropFirst() { gates.end(id(0), .inconclusive, ticket, concurrency: 8) }
        gates.end(id(1), .failure, tickets[1], concurrency: 8)
        gates.end(id(2), .success, tickets[2], concurrency: 8)
        #expect(gates.unprovenRoom == 4)
    }

    @Test("A rate of ten a second is kept over any ten seconds, and says when to come back")
    func rate() {
        var nextAt: Int64 = 0
        var sent = 0
        var now: Int64 = 1_000_000
        while now < 11_000_000 {
            let plan = ClaimPlan(
                [candidate("a", due: 100, concurrency: 64, rate: 10, nextAt: nextAt)], slots: 50, slotsMaximum: 400,
                allowances: [:], now: now)
            if let share = plan.shares.first {
                sent += share.count
                nextAt = share.nextAt
            }
            guard let paceAt = plan.paceAt else { break }
            #expect(paceAt >= now)
            now = max(now + 1, paceAt)
        }
        #expect((100...110).contains(sent))
    }
}
