/// Pauses between attempts: exponential with full jitter, so that a thousand lanes do not come back at once.
package struct Backoff: Sendable {
    let base: Duration
    let maximum: Duration

    /// For an entry that failed.
    package static let entry = Backoff(base: .milliseconds(50), maximum: .seconds(2))
    /// For something that is away.
    package static let dependency = Backoff(base: .milliseconds(100), maximum: .seconds(10))

    /// Waits; a cancellation ends the wait at once.
    ///
    /// - Parameter attempt: 1 for the first pause.
    package func pause(attempt: Int) async {
        let ceiling = min(maximum, base * (1 << min(max(attempt, 1) - 1, 16)))
        let wait = ceiling * Double.random(in: 0...1)
        // tidy:allow Task.sleep a back-off with a named bound, ended by cancellation
        try? await Task.sleep(for: wait)
    }
}
