import Testing

@testable import RedisClient

@Suite("Backoff between reconnects")
struct RedisBackoffTests {
    @Test("The interval doubles from the base, stops at the cap and returns to the base")
    func ceilings() {
        var backoff = RedisBackoff(base: .milliseconds(50), cap: .seconds(2))
        var ceilings: [Duration] = []
        for _ in 0..<8 {
            ceilings.append(backoff.ceiling)
            _ = backoff.next()
        }
        #expect(ceilings == [50, 100, 200, 400, 800, 1600, 2000, 2000].map { .milliseconds($0) })
        backoff.reset()
        #expect(backoff.ceiling == .milliseconds(50))
    }

    @Test("Every pause lies between zero and the interval, and uses all of it")
    func jitter() {
        var shortest = Duration.seconds(100)
        var longest = Duration.zero
        for _ in 0..<2_000 {
            var backoff = RedisBackoff(base: .milliseconds(100), cap: .seconds(2))
            let pause = backoff.next()
            #expect(pause >= .zero && pause <= .milliseconds(100))
            shortest = min(shortest, pause)
            longest = max(longest, pause)
        }
        #expect(shortest < .milliseconds(10))
        #expect(longest > .milliseconds(90))
    }

    @Test("A client that fails for days does not overflow the interval")
    func manyAttempts() {
        var backoff = RedisBackoff(base: .milliseconds(50), cap: .seconds(2))
        for _ in 0..<100_000 { _ = backoff.next() }
        #expect(backoff.ceiling == .seconds(2))
    }
}
