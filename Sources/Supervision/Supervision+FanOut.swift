import CoreMetrics
import Logging

extension Supervision {
    /// Does something for each element, at most so many at a time; every failure is logged and counted, and none stops
    /// the others.
    ///
    /// - Parameters:
    ///   - elements: what to do it for.
    ///   - concurrency: how many at a time.
    ///   - body: what to do.
    /// - Returns: how many failed.
    @discardableResult
    package func fanOut<Element: Sendable>(
        _ elements: some Sequence<Element>, concurrency: Int,
        _ body: @escaping @Sendable (Element) async throws -> Void
    ) async -> Int {
        precondition(concurrency > 0, "a fan-out does at least one thing at a time")
        let began = ContinuousClock.now
        var failed = 0
        await withTaskGroup(of: (any Error)?.self) { group in
            func note(_ error: (any Error)?) {
                guard let error else { return }
                failed += 1
                counter("fan_out.failures").increment()
                logger.warning("a part of a fan-out failed", metadata: ["label": "\(label)", "error": "\(error)"])
            }
            var running = 0
            for element in elements {
                if Task.isCancelled { break }
                if running == concurrency, let error = await group.next() {
                    running -= 1
                    note(error)
                }
                running += 1
                group.addTask {
                    do {
                        try await body(element)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            for await error in group { note(error) }
        }
        timer("fan_out.duration").recordNanoseconds((ContinuousClock.now - began).nanoseconds)
        return failed
    }
}
