package import Logging
package import NIOCore
import Synchronization

/// A pipelining client that many tasks share and that reconnects by itself.
///
/// Give it one `run()`; everything else may be called from any task, also before the first connection. Commands of
/// different tasks share one connection and are answered in the order they were sent; a blocking command would hold
/// up all the others and belongs to `RedisBlockingReader`.
///
/// Nothing is sent twice whose first outcome is unknown, unless it was marked `retriable()`.
package final class RedisClient: Sendable {
    private enum Phase {
        /// `run()` was not called yet: commands wait for their deadline.
        case idle
        /// `run()` keeps the connection.
        case running
        /// `run()` has returned: commands fail at once.
        case ended
    }

    private struct State {
        var phase = Phase.idle
        var connection: RedisConnection?
        var identity: String?
        var generation: UInt64 = 0
        var libraries: [RedisFunctionLibrary] = []
        var waiting: [UInt64: RedisWait<RedisConnection>] = [:]
        var nextWaiting: UInt64 = 0
        var lastFailure: RedisError?
    }

    private enum Admission {
        case connected(RedisConnection)
        case wait(UInt64)
        case refuse(RedisError)
    }

    /// Where the server is and the bounds kept.
    package let configuration: RedisConfiguration

    private let eventLoop: any EventLoop
    private let logger: Logger
    private let state = Mutex(State())

    /// Creates a client; it connects once `run()` is called.
    ///
    /// - Parameters:
    ///   - configuration: Where the server is and who we are.
    ///   - eventLoop: The loop its connections live on.
    ///   - logger: Gets info lines of connections lost and made.
    package init(_ configuration: RedisConfiguration, eventLoop: any EventLoop, logger: Logger) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
    }

    /// Creates a client on the next loop of a group.
    package convenience init(
        _ configuration: RedisConfiguration, eventLoopGroup: any EventLoopGroup, logger: Logger
    ) {
        self.init(configuration, eventLoop: eventLoopGroup.next(), logger: logger)
    }

    // MARK: Life

    /// Has a function library loaded on each connection before any command is sent on it.
    ///
    /// To be called before `run()`; later it counts from the next connection on. A connection on which the library
    /// cannot be had, for instance because the server has a newer one, is not used; the reason is in what waiting
    /// commands fail with.
    package func register(_ library: RedisFunctionLibrary) {
        state.withLock { state in
            state.libraries.removeAll { $0.name == library.name }
            state.libraries.append(library)
        }
    }

    /// Keeps the connection, until the task is cancelled; then closes it and fails what waits.
    ///
    /// To be called once.
    package func run() async {
        state.withLock { state in
            precondition(state.phase == .idle, "RedisClient.run() is called once")
            state.phase = .running
        }
        let loop = RedisReconnectLoop(configuration: configuration, eventLoop: eventLoop, logger: logger)
        await loop.run { connection throws(RedisError) in
            let loader = RedisFunctionLoader(connection: connection, logger: logger)
            for library in state.withLock({ $0.libraries }) { try await loader.ensure(library) }
            publish(connection)
        } ended: { reason in
            state.withLock { state in
                state.connection = nil
                state.lastFailure = reason
            }
        }
        end()
    }

    private func publish(_ connection: RedisConnection) {
        let (waiting, generation) = state.withLock { state in
            state.connection = connection
            state.identity = connection.serverIdentity
            state.generation += 1
            state.lastFailure = nil
            let waiting = state.waiting.values
            state.waiting = [:]
            return (waiting, state.generation)
        }
        logger.info(
            "Redis connected",
            metadata: [
                RedisLogKey.server: "\(configuration)", RedisLogKey.identity: "\(connection.serverIdentity)",
                RedisLogKey.generation: "\(generation)",
            ])
        for wait in waiting { wait.settle(.success(connection)) }
    }

    private func end() {
        let waiting = state.withLock { state in
            state.phase = .ended
            state.connection = nil
            let waiting = state.waiting.values
            state.waiting = [:]
            return waiting
        }
        for wait in waiting { wait.settle(.failure(Self.endedError)) }
    }

    private static var endedError: RedisError { RedisError(.notConnected, "the client has ended") }

    // MARK: What is known of the server

    /// How many connections were made so far.
    ///
    /// A change means that replies may have been lost and that `serverIdentity` is worth a look.
    package var generation: UInt64 { state.withLock { $0.generation } }

    /// Run id and replication id of the server connected to last; nil before the first connection.
    package var serverIdentity: String? { state.withLock { $0.identity } }

    /// Whether there is a connection, as far as is known.
    package var isConnected: Bool { state.withLock { $0.connection != nil } }

    /// Why there is no connection; nil while there is one and before the first attempt.
    package var lastFailure: RedisError? { state.withLock { $0.lastFailure } }

    /// Waits until there is a connection on which the registered libraries are loaded.
    ///
    /// - Parameter deadline: How long to wait; nil waits until the task is cancelled.
    /// - Throws: `.notConnected` at the deadline or when the client has ended, `.cancelled`, `.overloaded`.
    package func untilConnected(deadline: Duration? = nil) async throws(RedisError) {
        _ = try await connection(before: deadline.map(RedisTime.deadline(after:)))
    }

    // MARK: Commands

    /// Sends a command and returns its reply.
    ///
    /// Waits for a connection if there is none. A command marked `retriable()` is sent again when its connection dies,
    /// and gives each connection the command time-out; any other gives it until the deadline.
    ///
    /// - Parameters:
    ///   - command: The command; not a blocking one, and none that subscribes.
    ///   - deadline: How long the whole may take; nil is the configured command time-out.
    /// - Returns: The reply, which is no error.
    /// - Throws: `RedisError`: `.server` for an error reply, `.notConnected` if it was never sent, `.outcomeUnknown` if
    ///   it was, `.cancelled` when the task is, `.overloaded`.
    package func execute(_ command: RedisCommand, deadline: Duration? = nil) async throws(RedisError) -> RESPValue {
        guard let reply = try await execute(RedisPipeline([command]), deadline: deadline).first else {
            preconditionFailure("a pipeline of one command got no reply")
        }
        if let error = reply.asError { throw error.during(command.name) }
        return reply
    }

    /// Sends a pipeline and returns its replies; error replies are values among them.
    ///
    /// It is sent again like a command if every command in it is marked `retriable()`, and then as a whole.
    ///
    /// - Parameters:
    ///   - pipeline: The commands.
    ///   - deadline: How long the whole may take; nil is the configured command time-out.
    /// - Returns: One reply a command, in order.
    /// - Throws: As `execute(_:deadline:)` for a command, without `.server`.
    package func execute(
        _ pipeline: RedisPipeline, deadline: Duration? = nil
    ) async throws(RedisError) -> [RESPValue] {
        let patience = deadline ?? configuration.commandTimeout
        let deadline = RedisTime.deadline(after: patience)
        let timeout =
            pipeline.isIdempotent ? configuration.commandTimeout : max(patience, configuration.commandTimeout)
        while true {
            let connection = try await connection(before: deadline)
            do throws(RedisError) {
                return try await send(pipeline, on: connection, before: deadline, timeout: timeout)
            } catch  where error.code == .notConnected || (error.code == .outcomeUnknown && pipeline.isIdempotent) {
                guard NIODeadline.now() < deadline else { throw error }
                // `run()` learns of the loss only when the channel is closed; until then nobody shall get it again.
                withdraw(connection)
            }
        }
    }

    /// Brings a function library to its version on the server: loads it if it is missing or older.
    ///
    /// - Parameter library: The library.
    /// - Throws: `.invalidConfiguration` if the server has a newer one; `.server` if the server refuses the code; else
    ///   as `execute(_:deadline:)`.
    package func load(_ library: RedisFunctionLibrary) async throws(RedisError) {
        let connection = try await connection(before: RedisTime.deadline(after: configuration.commandTimeout))
        try await RedisFunctionLoader(connection: connection, logger: logger).ensure(library)
    }

    private func send(
        _ pipeline: RedisPipeline, on connection: RedisConnection, before deadline: NIODeadline, timeout: Duration
    ) async throws(RedisError) -> [RESPValue] {
        let wait = RedisWait<[RESPValue]>()
        eventLoop.execute { [eventLoop] in
            // A task cancelled before its turn came has sent nothing.
            guard !wait.isSettled else { return }
            let timer = eventLoop.scheduleTask(deadline: deadline) {
                _ = wait.settle(
                    .failure(RedisError(.outcomeUnknown, "the deadline passed before the server answered")))
            }
            let replies = connection.send(pipeline, timeout: timeout)
            replies.whenComplete { _ in timer.cancel() }
            wait.settle(from: replies)
        }
        return try await wait.value()
    }

    // MARK: Waiting for a connection

    private func connection(before deadline: NIODeadline?) async throws(RedisError) -> RedisConnection {
        let wait = RedisWait<RedisConnection>()
        switch admit(wait) {
        case .connected(let connection): return connection
        case .refuse(let error): throw error
        case .wait(let number):
            let timer = deadline.map { deadline in
                eventLoop.scheduleTask(deadline: deadline) { _ = wait.settle(.failure(self.absence())) }
            }
            defer {
                timer?.cancel()
                state.withLock { _ = $0.waiting.removeValue(forKey: number) }
            }
            return try await wait.value()
        }
    }

    private func admit(_ wait: RedisWait<RedisConnection>) -> Admission {
        state.withLock { state in
            if let connection = state.connection { return .connected(connection) }
            guard state.phase != .ended else { return .refuse(Self.endedError) }
            guard state.waiting.count < configuration.maximumWaitingCommands else {
                return .refuse(
                    RedisError(
                        .overloaded,
                        "\(configuration.maximumWaitingCommands) commands already wait for a connection"))
            }
            state.nextWaiting += 1
            state.waiting[state.nextWaiting] = wait
            return .wait(state.nextWaiting)
        }
    }

    private func absence() -> RedisError {
        let (phase, failure) = state.withLock { ($0.phase, $0.lastFailure) }
        let reason = phase == .idle ? "run() was not called" : failure?.message ?? "the attempt is still under way"
        return RedisError(
            .notConnected, "no connection to \(configuration.address) before the deadline: \(reason)",
            underlying: failure)
    }

    private func withdraw(_ connection: RedisConnection) {
        state.withLock { state in
            if state.connection === connection { state.connection = nil }
        }
    }
}
