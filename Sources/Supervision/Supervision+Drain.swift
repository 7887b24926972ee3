import CoreMetrics
import Logging

extension Supervision {
    /// Lets named work end by itself within a budget, then cancels it and says what was stuck.
    ///
    /// A piece that ignores its cancellation is waited for, since structured concurrency leaves nothing behind; it is
    /// named in the log before.
    ///
    /// - Parameters:
    ///   - budget: the time for all together.
    ///   - work: what has to end, by names from a fixed set.
    /// - Returns: the names of what had to be cancelled, sorted.
    package func drain(
        within budget: Duration, _ work: [String: @Sendable () async -> Void]
    ) async -> [String] {
        let began = ContinuousClock.now
        let stuck = await withTaskGroup(of: String?.self) { group in
            for (name, body) in work {
                group.addTask {
                    await body()
                    return name
                }
            }
            group.addTask {
                // tidy:allow Task.sleep the budget of a drain, ended when everything has ended
                try? await Task.sleep(for: budget)
                return nil
            }
            var left = Set(work.keys)
            while !left.isEmpty, let ended = await group.next() {
                guard let name = ended else { break }
                left.remove(name)
            }
            if !left.isEmpty { report(left) }
            group.cancelAll()
            return left.sorted()
        }
        timer("drain.duration").recordNanoseconds((ContinuousClock.now - began).nanoseconds)
        return stuck
    }

    private func report(_ left: Set<String>) {
        counter("drain.timeouts").increment()
        logger.warning(
            "a drain took too long; what is left is cancelled",
            metadata: ["label": "\(label)", "stuck": "\(left.sorted().joined(separator: ", "))"])
    }
}

extension Duration {
    /// Whole nanoseconds.
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
