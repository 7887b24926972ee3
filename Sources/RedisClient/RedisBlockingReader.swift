package import Logging
package import NIOCore
import Synchronization

/// A connection of its own for one blocking read at a time, such as `XREAD BLOCK`.
///
/// It connects when it is first used, keeps the connection from read to read, and closes it whenever a wait is given
/// up, because a reply that may still come could not be told from the next one. A read has no effect on the server, so
/// after any error the caller reads again from its own cursor. After a failed attempt to connect the next read pauses
/// first, with growing full jitter, so reading in a loop does not hammer a server that is away.
package final class RedisBlockingReader: Sendable {
    /// Another read is a new value of this type; what is left of an old one changes nothing of it.
    private final class Read: Sendable {
        let wait = RedisWait<RESPValue>()
        let dial = RedisDial()
        let isSent = Mutex(false)
    }

    private struct State {
        var connection: RedisConnection?
        var identity: String?
        var current: Read?
        var isInterrupted = false
        var isClosed = false
        var backoff: RedisBackoff
        /// Nothing is dialled before this point in time.
        var pausedUntil = NIODeadline.uptimeNanoseconds(0)
    }

    private let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let state: Mutex<State>

    /// Creates a reader; it connects at its first read.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is and who we are.
    ///   - eventLoop: The loop its connection lives on.
    ///   - logger: Gets debug lines of the connection's life.
    package init(_ configuration: RedisConfiguration, eventLoop: any EventLoop, logger: Logger) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
        let backoff = RedisBackoff(base: configuration.reconnectBase, cap: configuration.reconnectCap)
        state = Mutex(State(backoff: backoff))
    }

    /// Run id and replication id of the server connected to last; nil before the first connection.
    package var serverIdentity: String? { state.withLock { $0.identity } }

    /// Sends one command and waits for its reply.
    ///
    /// - Parameters:
    ///   - command: The command, usually one with `BLOCK`.
    ///   - timeout: How long the whole may take, connecting included; longer than the command's own `BLOCK`.
    /// - Returns: The reply, which is no error; `.null` when a blocking read ran out.
    /// - Throws: `RedisError`: `.cancelled` at once when the task is cancelled or `interrupt()` is called; `.server`;
    ///   `.notConnected`, also after `close()`; `.outcomeUnknown` when the time-out passed or the connection was lost;
    ///   `.overloaded` while another read waits.
    package func execute(_ command: RedisCommand, timeout: Duration) async throws(RedisError) -> RESPValue {
        let read = try begin()
        defer { finish(read) }
        start(read, command, deadline: RedisTime.deadline(after: timeout))
        let reply: RESPValue
        do {
            reply = try await read.wait.value()
        } catch {
            abandon(read)
            throw error
        }
        if let error = reply.asError { throw error.during(command.name) }
        return reply
    }

    /// Wakes a waiting `execute` at once, which throws `.cancelled`; callable from anywhere.
    ///
    /// If none waits any more or yet, the next one throws `.cancelled` without reading: a caller that looks at some
    /// flag and then reads cannot miss an interruption between the two.
    package func interrupt() {
        // Under one lock with `begin()`, so that no read slips in between the look and the mark.
        state.withLock { state in
            if let read = state.current, read.wait.settle(.failure(Self.interruptedError)) { return }
            state.isInterrupted = true
        }
    }

    /// Wakes a waiting `execute`, closes the connection and waits for its end.
    ///
    /// Later reads throw `.notConnected`.
    package func close() async {
        let (read, connection) = state.withLock { state in
            state.isClosed = true
            return (state.current, state.connection)
        }
        read?.wait.settle(.failure(Self.interruptedError))
        read?.dial.cancel()
        guard let connection else { return }
        connection.close()
        await RedisReconnectLoop.end(of: connection.closeFuture)
    }

    private static var interruptedError: RedisError { RedisError(.cancelled, "the read was interrupted") }

    // MARK: One read

    private func begin() throws(RedisError) -> Read {
        let read = Read()
        let refusal = state.withLock { state -> RedisError? in
            if state.isClosed { return RedisError(.notConnected, "the reader is closed") }
            if state.current != nil { return RedisError(.overloaded, "another read is waiting on this reader") }
            if state.isInterrupted {
                state.isInterrupted = false
                return Self.interruptedError
            }
            state.current = read
            return nil
        }
        if let refusal { throw refusal }
        return read
    }

    private func finish(_ read: Read) {
        state.withLock { state in
            if state.current === read { state.current = nil }
        }
    }

    private func start(_ read: Read, _ command: RedisCommand, deadline: NIODeadline) {
        let timer = eventLoop.scheduleTask(deadline: deadline) {
            let sent = read.isSent.withLock { $0 }
            let error =
                sent
                ? RedisError(.outcomeUnknown, "the reply did not come within the time-out")
                : RedisError(.notConnected, "no connection to \(self.configuration.address) within the time-out")
            read.wait.settle(.failure(error))
        }
        eventLoop.flatSubmit { self.connection(for: read) }
            .flatMap { connection -> EventLoopFuture<[RESPValue]> in
                guard !read.wait.isSettled else { return connection.eventLoop.makeSucceededFuture([]) }
                read.isSent.withLock { $0 = true }
                return connection.send(RedisPipeline([command]), timeout: nil)
            }
            .whenComplete { result in
                timer.cancel()
                read.wait.settle(
                    result.mapError { .wrapping($0, as: .notConnected, "the connection failed") }
                        .map { $0.first ?? .null })
            }
    }

    /// The connection kept from the last read, or a new one.
    ///
    /// Called on the event loop.
    private func connection(for read: Read) -> EventLoopFuture<RedisConnection> {
        let (kept, pausedUntil) = state.withLock { ($0.connection, $0.pausedUntil) }
        if let kept, !kept.isClosed { return eventLoop.makeSucceededFuture(kept) }
        return eventLoop.scheduleTask(deadline: pausedUntil) {}.futureResult
            .flatMap {
                guard !read.wait.isSettled else {
                    return self.eventLoop.makeFailedFuture(Self.interruptedError)
                }
                return read.dial.start(self.configuration, on: self.eventLoop, logger: self.logger)
                    .always { self.dialled(read, $0) }
            }
    }

    private func dialled(_ read: Read, _ result: Result<RedisConnection, any Error>) {
        switch result {
        case .success(let connection):
            let isWanted = state.withLock { state in
                // Given up meanwhile, by the caller or by `close()`.
                guard !state.isClosed, state.current === read, !read.wait.isSettled else { return false }
                state.connection = connection
                state.identity = connection.serverIdentity
                state.backoff.reset()
                return true
            }
            if !isWanted { connection.close() }
        case .failure:
            state.withLock { state in
                guard !read.wait.isSettled else { return }
                state.pausedUntil = RedisTime.deadline(after: state.backoff.next())
            }
        }
    }

    /// Closes whatever a read that failed was using.
    private func abandon(_ read: Read) {
        read.dial.cancel()
        let connection = state.withLock { state in
            defer { state.connection = nil }
            return state.connection
        }
        connection?.close()
    }
}
