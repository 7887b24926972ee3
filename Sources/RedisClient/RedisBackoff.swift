/// The pauses between attempts to reconnect: exponential with full jitter.
///
/// The pause before attempt n is drawn evenly from zero to `base · 2ⁿ`, never more than `cap`. Full jitter spreads a
/// fleet that lost its server at one instant evenly over the whole interval.
struct RedisBackoff: Sendable {
    let base: Duration
    let cap: Duration
    private var attempt = 0

    init(base: Duration, cap: Duration) {
        self.base = base
        self.cap = cap
    }

    /// The longest pause the next draw can give.
    var ceiling: Duration {
        // 2^20 of any sensible base is far beyond any cap, so the shift needs no more room than this.
        min(cap, base * (1 << min(attempt, 20)))
    }

    /// Draws the next pause and widens the interval for the one after it.
    mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// Draws the next pause from the given source of randomness.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let pause = ceiling * Double.random(in: 0...1, using: &generator)
        attempt += 1
        return pause
    }

    /// Starts again from the shortest interval.
    mutating func reset() {
        attempt = 0
    }
}
