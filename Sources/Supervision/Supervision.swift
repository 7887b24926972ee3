package import CoreMetrics
package import Logging
import ServiceLifecycle

/// What structured concurrency does not give: groups with one end, drains with a budget, waits that end at shutdown,
/// and fan-outs with a bound.
///
/// A value carries a label for its metrics; labels come from a fixed set.
package struct Supervision: Sendable {
    let label: String
    let logger: Logger
    let factory: any MetricsFactory

    /// Supervision under a label.
    package init(_ label: String, logger: Logger, metrics: any MetricsFactory = MetricsSystem.factory) {
        self.label = label
        self.logger = logger
        self.factory = metrics
    }

    func counter(_ name: String, _ dimensions: [(String, String)] = []) -> Counter {
        Counter(label: "supervision.\(name)", dimensions: [("label", label)] + dimensions, factory: factory)
    }

    func timer(_ name: String) -> CoreMetrics.Timer {
        CoreMetrics.Timer(label: "supervision.\(name)", dimensions: [("label", label)], factory: factory)
    }

    // MARK: Lifetimes

    /// Runs children until the first failure, the end of one that stands for the whole, or the end of all.
    ///
    /// Everybody else is cancelled then, and has ended when this returns.
    package func supervise(_ children: [SupervisedChild]) async -> SupervisionExit {
        let exit = await run(children)
        counter("exits", [("reason", exit.reason)]).increment()
        logger.debug("supervision ended", metadata: ["label": "\(label)", "exit": "\(exit)"])
        return exit
    }

    private func run(_ children: [SupervisedChild]) async -> SupervisionExit {
        await withTaskGroup(of: SupervisionExit?.self) { group in
            for child in children {
                group.addTask {
                    do {
                        try await child.body()
                        return child.lifetime == .whole ? .lifetimeEnded(child: child.name) : nil
                    } catch is CancellationError where Task.isCancelled {
                        return .cancelled
                    } catch {
                        return .failed(child: child.name, error)
                    }
                }
            }
            defer { group.cancelAll() }
            for await exit in group {
                if let exit { return Task.isCancelled ? .cancelled : exit }
            }
            return Task.isCancelled ? .cancelled : .finished
        }
    }

    // MARK: Waits

    /// Waits, but not beyond a graceful shutdown or a cancellation.
    ///
    /// - Returns: whether the whole time passed.
    @discardableResult
    package static func sleepUntilShutdown(_ duration: Duration) async -> Bool {
        await cancelWhenGracefulShutdown {
            // tidy:allow Task.sleep a period or a deadline, ended by shutdown and by cancellation
            (try? await Task.sleep(for: duration)) != nil
        }
    }
}
