import HTTPTransport
import Testing

@Suite("Circuit breaker")
struct CircuitBreakerTests {
    private let start = ContinuousClock.now
    private let policy: CircuitBreaker.Policy = {
        var policy = CircuitBreaker.Policy()
        policy.failuresMaximum = 3
        policy.openDuration = .seconds(10)
        policy.openDurationMaximum = .seconds(30)
        policy.trialDuration = .seconds(60)
        return policy
    }()

    private struct Refused: Error { let until: ContinuousClock.Instant }

    private func admit(_ breaker: inout CircuitBreaker, at seconds: Int) throws(Refused) -> CircuitBreaker.Ticket {
        switch breaker.admit(now: start + .seconds(seconds)) {
        case .admitted(let ticket): return ticket
        case .refused(let until): throw Refused(until: until)
        }
    }

    private func call(_ breaker: inout CircuitBreaker, _ outcome: CircuitBreaker.Outcome, at seconds: Int) throws {
        let ticket = try admit(&breaker, at: seconds)
        breaker.report(outcome, of: ticket, now: start + .seconds(seconds))
    }

    @Test("Failures in a row open it; a success between them does not let it come to that")
    func opening() throws {
        var breaker = CircuitBreaker(policy)
        for outcome in [CircuitBreaker.Outcome.failure, .failure, .success, .failure, .inconclusive, .failure] {
            try call(&breaker, outcome, at: 0)
        }
        #expect(breaker.state(now: start) == .closed)
        try call(&breaker, .failure, at: 1)
        #expect(breaker.state(now: start + .seconds(1)) == .open)
        let refusal = #expect(throws: Refused.self) { try admit(&breaker, at: 10) }
        #expect(refusal?.until == start + .seconds(11))
        #expect(breaker.state(now: start + .seconds(11)) == .halfOpen)
    }

    private func opened() throws -> CircuitBreaker {
        var breaker = CircuitBreaker(policy)
        for _ in 0..<3 { try call(&breaker, .failure, at: 0) }
        return breaker
    }

    @Test("One trial at a time; its success closes the breaker")
    func trial() throws {
        var breaker = try opened()
        let ticket = try admit(&breaker, at: 10)
        #expect(throws: Refused.self) { try admit(&breaker, at: 11) }
        breaker.report(.success, of: ticket, now: start + .seconds(12))
        #expect(breaker.state(now: start + .seconds(12)) == .closed)
        for _ in 0..<2 { try call(&breaker, .failure, at: 13) }
        #expect(breaker.state(now: start + .seconds(13)) == .closed)
    }

    @Test("Each failed trial doubles the wait, up to the longest; then a success makes it short again")
    func doubling() throws {
        var breaker = try opened()
        var now = 10
        for wait in [20, 30, 30] {
            try call(&breaker, .failure, at: now)
            #expect(throws: Refused.self) { try admit(&breaker, at: now + wait - 1) }
            now += wait
        }
        try call(&breaker, .success, at: now)
        for _ in 0..<3 { try call(&breaker, .failure, at: now) }
        #expect(throws: Refused.self) { try admit(&breaker, at: now + 9) }
        _ = try admit(&breaker, at: now + 10)
    }

    @Test("An inconclusive trial is followed by another at once, a lost one after its time")
    func lostTrials() throws {
        var breaker = try opened()
        try call(&breaker, .inconclusive, at: 10)
        let lost = try admit(&breaker, at: 10)
        #expect(throws: Refused.self) { try admit(&breaker, at: 69) }
        try call(&breaker, .failure, at: 70)
        breaker.report(.success, of: lost, now: start + .seconds(71))
        #expect(breaker.state(now: start + .seconds(71)) == .open)
    }

    @Test("Calls from before a change of state do not count after it")
    func lateReports() throws {
        var breaker = CircuitBreaker(policy)
        let early = try admit(&breaker, at: 0)
        for _ in 0..<3 { try call(&breaker, .failure, at: 0) }
        breaker.report(.success, of: early, now: start)
        #expect(breaker.state(now: start) == .open)
        let trial = try admit(&breaker, at: 10)
        breaker.report(.failure, of: early, now: start + .seconds(10))
        breaker.report(.success, of: trial, now: start + .seconds(10))
        breaker.report(.failure, of: trial, now: start + .seconds(10))
        #expect(breaker.state(now: start + .seconds(10)) == .closed)
    }
}
