import Logging
import Synchronization

/// A bounded set of connections and the queue before it: carries out what ``PoolStateMachine`` decides.
///
/// There is no task in the background: whoever gets a slot opens the connection in its own task.
final class ConnectionPool: Sendable {
    /// What a caller that waits receives.
    private enum Handover {
        case connection(PostgresConnection)
        case slot
        case failure(PostgresError)
    }

    /// Where a waiter is between asking and receiving.
    private enum Waiter {
        case queued
        case suspended(CheckedContinuation<Handover, Never>)
        case served(Handover)
    }

    private struct State {
        var machine: PoolStateMachine<PostgresConnection>
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let configuration: PostgresConfiguration
    private let canceller: StatementCanceller
    private let logger: Logger
    private let state: Mutex<State>

    init(_ configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        canceller = StatementCanceller(logger: logger)
        state = Mutex(
            State(
                machine: PoolStateMachine(
                    maximumConnections: configuration.maximumConnections,
                    maximumWaiters: configuration.maximumWaiters)))
    }

    var statistics: PostgresClient.Statistics {
        state.withLock { state in
            PostgresClient.Statistics(
                open: state.machine.openCount, idle: state.machine.idleCount, waiting: state.machine.waitingCount)
        }
    }

    /// Returns a connection that was alive a moment ago; it must be given back with ``release(_:)``.
    func acquire() async throws(PostgresError) -> PostgresConnection {
        guard !Task.isCancelled else {
            throw PostgresError(.cancelled, "the task was cancelled before it had a connection")
        }
        let (waiter, acquisition) = state.withLock { state in
            state.nextWaiter += 1
            let acquisition = state.machine.acquire(state.nextWaiter)
            if case .wait = acquisition { state.waiters[state.nextWaiter] = .queued }
            return (state.nextWaiter, acquisition)
        }
        switch acquisition {
        case .use(let connection, let idleSince):
            if connection.retiresAt > .now, await connection.isAlive(idleSince: idleSince) { return connection }
            await connection.close()
            logger.debug("Replacing a connection that is dead or too old")
            return try await open()
        case .open:
            return try await open()
        case .wait:
            switch await wait(waiter) {
            case .connection(let connection): return connection
            case .slot: return try await open()
            case .failure(let error): throw error
            }
        case .refuseFull:
            throw PostgresError(.poolExhausted, "\(configuration.maximumWaiters) callers wait for a connection already")
        case .refuseClosed:
            throw Self.closed
        }
    }

    /// Takes a connection back and hands it, or its slot, to the first waiter.
    func release(_ connection: PostgresConnection) async {
        let isReusable = await connection.isReusable
        let (isKept, continuation) = state.withLock { state -> (Bool, CheckedContinuation<Handover, Never>?) in
            let release = state.machine.release(
                connection, isReusable: isReusable, retiresAt: connection.retiresAt,
                idleMaximum: configuration.maximumIdleTime, at: .now)
            switch release {
            case .keep: return (true, nil)
            case .hand(let waiter): return (true, Self.serve(waiter, .connection(connection), &state))
            case .close(let waiter): return (false, waiter.flatMap { Self.serve($0, .slot, &state) })
            }
        }
        guard !isKept else {
            continuation?.resume(returning: .connection(connection))
            return
        }
        // Closed first: the server counts it until then, and the waiter is about to open another.
        await connection.close()
        continuation?.resume(returning: .slot)
    }

    /// Closes connections that are idle for too long or too old, until the task is cancelled; then closes the pool.
    func run() async {
        let clock = ContinuousClock()
        while !Task.isCancelled {
            let (retired, next) = state.withLock { state in
                (state.machine.retire(at: .now), state.machine.nextRetirement)
            }
            for connection in retired { await connection.close() }
            // A connection that becomes idle meanwhile is closed by the end of the next wait.
            let period = min(configuration.maximumConnectionAge, configuration.maximumIdleTime)
            let latest = clock.now + max(period, .milliseconds(1))
            try? await clock.sleep(until: min(next ?? latest, latest), tolerance: .seconds(1))
        }
        await shutDown()
    }

    private func shutDown() async {
        let (remains, resumptions) = state.withLock { state in
            let remains = state.machine.shutDown()
            let failure = Handover.failure(Self.closed)
            return (remains, remains.waiters.compactMap { Self.serve($0, failure, &state) })
        }
        for continuation in resumptions { continuation.resume(returning: .failure(Self.closed)) }
        for connection in remains.idle { await connection.close() }
        canceller.stop()
    }

    /// Opens a connection in a slot the caller holds; frees the slot when that fails.
    private func open() async throws(PostgresError) -> PostgresConnection {
        do {
            return try await PostgresConnection.open(configuration, canceller: canceller, logger: logger)
        } catch {
            logger.debug("No connection to Postgres", metadata: ["postgres.code": "\(error.code)"])
            let continuation = state.withLock { state in
                state.machine.freeSlot().flatMap { Self.serve($0, .slot, &state) }
            }
            continuation?.resume(returning: .slot)
            throw error
        }
    }

    /// Waits for a hand-over, the acquisition timeout or the task's cancellation.
    private func wait(_ waiter: UInt64) async -> Handover {
        let deadline = ContinuousClock.now + configuration.acquisitionTimeout
        return await withTaskGroup(of: Handover?.self) { group in
            group.addTask { await self.suspend(waiter) }
            group.addTask {
                guard (try? await ContinuousClock().sleep(until: deadline)) != nil else { return nil }
                self.abandon(
                    waiter,
                    PostgresError(
                        .poolExhausted, "no connection became free within \(self.configuration.acquisitionTimeout)"))
                return nil
            }
            for await handover in group {
                guard let handover else { continue }
                group.cancelAll()
                return handover
            }
            preconditionFailure("a waiter ended without an answer")
        }
    }

    private func suspend(_ waiter: UInt64) async -> Handover {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let served = state.withLock { state -> Handover? in
                    if case .served(let handover) = state.waiters[waiter] {
                        state.waiters[waiter] = nil
                        return handover
                    }
                    state.waiters[waiter] = .suspended(continuation)
                    return nil
                }
                if let served { continuation.resume(returning: served) }
            }
        } onCancel: {
            abandon(waiter, PostgresError(.cancelled, "the task was cancelled while it waited for a connection"))
        }
    }

    private func abandon(_ waiter: UInt64, _ error: PostgresError) {
        let continuation = state.withLock { state -> CheckedContinuation<Handover, Never>? in
            guard state.machine.abandon(waiter) else { return nil }
            return Self.serve(waiter, .failure(error), &state)
        }
        continuation?.resume(returning: .failure(error))
    }

    /// Notes what a waiter gets and returns its continuation, if any, to be resumed outside the lock.
    private static func serve(
        _ waiter: UInt64, _ handover: Handover, _ state: inout State
    ) -> CheckedContinuation<Handover, Never>? {
        guard case .suspended(let continuation) = state.waiters[waiter] else {
            state.waiters[waiter] = .served(handover)
            return nil
        }
        state.waiters[waiter] = nil
        return continuation
    }

    private static var closed: PostgresError {
        PostgresError(.clientClosed, "the client was shut down")
    }
}
