import Logging
import NIOCore

/// Keeps one connection open: dials, hands it over, waits for its end, pauses, dials again.
struct RedisReconnectLoop: Sendable {
    let configuration: RedisConfiguration
    let eventLoop: any EventLoop
    let logger: Logger

    /// How often a server that stays away is logged about; every attempt would be a line every two seconds.
    private static let noticeInterval: Duration = .seconds(30)

    /// Runs until the task is cancelled; no connection is open when it returns.
    ///
    /// - Parameters:
    ///   - established: Called with each new connection; if it throws, the connection is closed and dialled anew.
    ///   - ended: Called after each attempt that failed and after each connection that ended, with the reason.
    func run(
        established: (RedisConnection) async throws(RedisError) -> Void, ended: (RedisError) -> Void
    ) async {
        var backoff = RedisBackoff(base: configuration.reconnectBase, cap: configuration.reconnectCap)
        var noticed: ContinuousClock.Instant?
        while !Task.isCancelled {
            let (reason, lived) = await attempt(established)
            ended(reason)
            guard !Task.isCancelled else { return }
            // A server that admits us and hangs up at once must not be dialled in a tight loop.
            if lived >= configuration.reconnectCap {
                backoff.reset()
                noticed = nil
            }
            let pause = backoff.next()
            let isNews = noticed.map { $0.duration(to: .now) >= Self.noticeInterval } ?? true
            if isNews { noticed = .now }
            logger.log(
                level: isNews ? .info : .debug, "Redis is away, will reconnect",
                metadata: [
                    RedisLogKey.server: "\(configuration)", RedisLogKey.reason: "\(reason)",
                    RedisLogKey.pause: "\(pause)",
                ])
            // tidy:allow Task.sleep a pause between attempts is the one thing that only time ends
            do { try await Task.sleep(for: pause) } catch { return }
        }
    }

    private func attempt(
        _ established: (RedisConnection) async throws(RedisError) -> Void
    ) async -> (reason: RedisError, lived: Duration) {
        let connection: RedisConnection
        do {
            connection = try await open()
        } catch {
            return (error, .zero)
        }
        let clock = ContinuousClock()
        let start = clock.now
        let reason: RedisError
        do throws(RedisError) {
            try await established(connection)
            let closed = RedisWait<Void>()
            closed.settle(from: connection.closeFuture)
            try await closed.value()
            reason = RedisError(.notConnected, "the connection to \(configuration.address) was lost")
        } catch {
            reason = error
        }
        let lived = clock.now - start
        connection.close()
        await Self.end(of: connection.closeFuture)
        return (reason, lived)
    }

    /// Dials, and gives the attempt up when the task is cancelled; returns only when nothing is left open.
    private func open() async throws(RedisError) -> RedisConnection {
        let dial = RedisDial()
        let future = dial.start(configuration, on: eventLoop, logger: logger)
        let result = await withTaskCancellationHandler {
            await Self.result(of: future)
        } onCancel: {
            dial.cancel()
        }
        return try result.get()
    }

    private static func result(
        of future: EventLoopFuture<RedisConnection>
    ) async -> Result<RedisConnection, RedisError> {
        await withCheckedContinuation { continuation in
            future.whenComplete { result in
                continuation.resume(
                    returning: result.mapError { .wrapping($0, as: .notConnected, "the connection failed") })
            }
        }
    }

    /// Waits for a channel's end, also when the task is cancelled: the wait is bounded by the closing itself.
    static func end(of future: EventLoopFuture<Void>) async {
        await withCheckedContinuation { continuation in
            future.whenComplete { _ in continuation.resume() }
        }
    }
}
