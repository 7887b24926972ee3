import Synchronization

/// What `/readyz` and `/livez` answer: the parts of a process report here, the admin server reads.
///
/// Safe from any thread.
package final class HealthRegistry: Sendable {
    /// One named condition of readiness.
    package struct Check: Sendable, Equatable {
        /// A short, constant name, such as `redis`.
        package let name: String
        /// Whether the process may get work as far as this check is concerned.
        package let isReady: Bool
        /// Why not, for people.
        package let reason: String
    }

    private struct State {
        var checks: [String: Check] = [:]
        var probes: [(name: String, probe: @Sendable () -> String?)] = []
        var isShuttingDown = false
    }

    private let state = Mutex(State())

    /// Starts without checks, that is ready; call `expect` before the admin server runs.
    package init() {}

    /// Declares checks that are not ready until somebody says so, so that no early probe finds a half-started process.
    package func expect(_ names: String...) {
        state.withLock { state in
            for name in names where state.checks[name] == nil {
                state.checks[name] = Check(name: name, isReady: false, reason: "not started yet")
            }
        }
    }

    /// Reports the state of a check; the last report counts.
    package func setReady(_ name: String, _ isReady: Bool, reason: String = "") {
        state.withLock { $0.checks[name] = Check(name: name, isReady: isReady, reason: isReady ? "" : reason) }
    }

    /// Adds a condition of life: a probe that returns why the process is beyond help, or nil.
    ///
    /// It is called at every request for `/livez`, and must be quick.
    package func addLivenessProbe(_ name: String, _ probe: @escaping @Sendable () -> String?) {
        state.withLock { $0.probes.append((name, probe)) }
    }

    /// Makes the process not ready for good; its drain has begun.
    package func beginShutdown() {
        state.withLock { $0.isShuttingDown = true }
    }

    /// Whether the drain has begun.
    package var isShuttingDown: Bool { state.withLock(\.isShuttingDown) }

    /// Whether the process may get work: every check is ready, and it is not shutting down.
    package var isReady: Bool {
        state.withLock { state in !state.isShuttingDown && state.checks.values.allSatisfy(\.isReady) }
    }

    /// All checks by name.
    package var checks: [Check] {
        state.withLock { $0.checks.values.sorted { $0.name < $1.name } }
    }

    /// Why the process should be killed, one sentence a probe; empty while it lives.
    package var ailments: [String] {
        // The probes run outside the lock: they are somebody else's code.
        state.withLock(\.probes).compactMap { name, probe in probe().map { "\(name): \($0)" } }
    }
}
