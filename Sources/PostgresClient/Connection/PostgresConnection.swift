import Logging
import Synchronization

/// One connection, as ``PostgresClient/withConnection(_:)`` lends it.
///
/// Its blocking calls run on a thread of its own. One statement runs at a time; several tasks may share it, but then a
/// transaction of one holds the statements of the others too. Every wait ends: at the server's statement timeout, or,
/// when the server is silent, `statementGrace` later on this side, and then the connection is given up.
///
/// Cancelling the calling task cancels the statement on the server; the connection is then closed, and with it a
/// transaction that is open on it.
package actor PostgresConnection {
    private nonisolated let thread: BlockingThread
    private nonisolated let wake: WakeSignal
    private nonisolated let canceller: StatementCanceller
    private nonisolated let configuration: PostgresConfiguration
    nonisolated let logger: Logger
    /// When the pool is to replace the connection.
    nonisolated let retiresAt: ContinuousClock.Instant

    private var handle: ConnectionHandle?
    private var cancelHandle: CancelHandle?
    /// Why the connection must not be used again although it works.
    private var isRetired = false

    /// The connection's own thread.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    /// Opens a connection.
    ///
    /// - Throws: what `ConnectionHandle/connect` throws, at the latest after `connectTimeout`.
    static func open(
        _ configuration: PostgresConfiguration, canceller: StatementCanceller, logger: Logger
    ) async throws(PostgresError) -> PostgresConnection {
        let connection = PostgresConnection(
            configuration, thread: try .start(), wake: try WakeSignal(), canceller: canceller,
            logger: logger)
        try await connection.interruptible { connection, flag throws(PostgresError) in
            try connection.connect(flag)
        }
        return connection
    }

    private init(
        _ configuration: PostgresConfiguration, thread: BlockingThread, wake: WakeSignal,
        canceller: StatementCanceller, logger: Logger
    ) {
        self.configuration = configuration
        self.thread = thread
        self.wake = wake
        self.canceller = canceller
        self.logger = logger
        let age = configuration.maximumConnectionAge
        retiresAt = .now + age - age * Double.random(in: 0...0.1)
        handle = nil
    }

    // Nobody holds the actor any more, so nothing of it runs; the handle goes with it.
    deinit { thread.stop() }

    /// Runs one statement and returns its rows.
    ///
    /// Several statements need ``executeScript(_:timeout:)``. A `timeout` replaces the configured statement timeout, at
    /// the cost of two small round trips.
    package nonisolated func query(
        _ statement: SQLStatement, timeout: Duration? = nil
    ) async throws(PostgresError) -> [PostgresRow] {
        try await perform(.statement(statement), timeout: timeout).rows
    }

    /// Runs one statement and returns how many rows it affected, 0 for one that has no such number.
    @discardableResult
    package nonisolated func execute(
        _ statement: SQLStatement, timeout: Duration? = nil
    ) async throws(PostgresError) -> Int {
        try await perform(.statement(statement), timeout: timeout).affectedRows
    }

    /// Runs a text of any number of statements, such as a migration.
    ///
    /// Outside a transaction the server runs them in one of their own. The first failure ends the script. The timeout
    /// counts for each statement on the server and for the whole script on this side.
    package nonisolated func executeScript(_ sql: String, timeout: Duration? = nil) async throws(PostgresError) {
        _ = try await perform(.script(sql), timeout: timeout)
    }

    /// Runs one request; `isInterruptible` false keeps a cancelled task from interrupting it.
    nonisolated func perform(
        _ request: ExchangeRequest, timeout: Duration? = nil, isInterruptible: Bool = true
    ) async throws(PostgresError) -> Exchange {
        guard isInterruptible else { return try await run(request, timeout: timeout, cancellation: nil) }
        return try await interruptible { connection, flag throws(PostgresError) in
            try connection.run(request, timeout: timeout, cancellation: flag)
        }
    }

    /// Whether a transaction or a statement is open; true for a connection that is closed.
    var isInTransaction: Bool {
        guard handle != nil else { return true }
        return !isIdle
    }

    /// Whether the pool may hand the connection to somebody else.
    var isReusable: Bool { !isRetired && handle != nil && isIdle }

    /// Checks the connection before it is handed out; asks the server only if there is reason to.
    func isAlive(idleSince: ContinuousClock.Instant) -> Bool {
        guard isReusable, let socket = handle?.socket else { return false }
        // Bytes on an idle connection are notices, or the server's farewell: the ping tells.
        let isQuiet = !SocketWait.isReadable(socket)
        if isQuiet, idleSince.duration(to: .now) < configuration.idlePingThreshold { return true }
        let statementTimeout = configuration.connectTimeout
        do {
            _ = try exchange(.statement("SELECT 1"), statementTimeout, grace: .zero, cancellation: nil)
            return isReusable
        } catch {
            return false
        }
    }

    /// Closes the connection; statements on it fail with `.connectionLost` from now on.
    package func close() {
        handle = nil
        cancelHandle = nil
    }

    private var isIdle: Bool { handle?.isIdle ?? false }

    private func connect(_ cancellation: CancellationFlag) throws(PostgresError) {
        let deadline = ContinuousClock.now + configuration.connectTimeout
        let opened = try ConnectionHandle(configuration.connectionParameters, notices: NoticeSink(logger: logger))
        try opened.connect(
            until: deadline, wake: wake, cancellation: cancellation, password: configuration.password)
        cancelHandle = try opened.finishConnecting()
        logger.debug("Connected to Postgres", metadata: ["postgres.version": "\(opened.serverVersion)"])
        handle = consume opened
    }

    private func run(
        _ request: ExchangeRequest, timeout: Duration?, cancellation: CancellationFlag?
    ) throws(PostgresError) -> Exchange {
        try request.validate()
        guard cancellation?.isRaised != true else {
            throw PostgresError(.cancelled, "the task was cancelled before the statement was sent")
        }
        let grace = configuration.statementGrace
        guard let timeout, timeout != configuration.statementTimeout else {
            return try exchange(request, configuration.statementTimeout, grace: grace, cancellation: cancellation)
        }
        let patience = min(timeout, configuration.statementTimeout)
        try setServerTimeout(timeout, patience)
        // A failed transaction takes no more statements, and its rollback restores the setting.
        defer {
            if handle?.isInFailedTransaction == false {
                do {
                    try setServerTimeout(configuration.statementTimeout, patience)
                } catch {
                    isRetired = true
                }
            }
        }
        return try exchange(request, timeout, grace: grace, cancellation: cancellation)
    }

    private func setServerTimeout(_ timeout: Duration, _ patience: Duration) throws(PostgresError) {
        let statement: SQLStatement = "SET statement_timeout TO \(unsafeSQL: String(timeout.wholeMilliseconds))"
        _ = try exchange(
            .statement(statement), patience, grace: configuration.statementGrace, cancellation: nil)
    }

    private func exchange(
        _ request: ExchangeRequest, _ statementTimeout: Duration, grace: Duration, cancellation: CancellationFlag?
    ) throws(PostgresError) -> Exchange {
        let terms = ExchangeTerms(
            statementTimeout: statementTimeout, deadline: .now + statementTimeout + grace,
            cancellationGrace: configuration.cancellationGrace, maximumResultBytes: configuration.maximumResultBytes,
            wake: wake, cancellation: cancellation,
            requestCancel: { [cancelHandle, canceller] in
                if let cancelHandle { canceller.cancel(cancelHandle) }
            })
        do {
            guard let exchange = try handle?.exchange(request, terms) else {
                throw PostgresError(.connectionLost, "the connection is closed")
            }
            if !exchange.isConnectionUsable { close() }
            return exchange
        } catch let failure as ExchangeFailure {
            if !failure.isConnectionUsable { close() }
            // After a fail-over the connection may lead to a standby; a new one finds the primary.
            if failure.error.code == .readOnlyTransaction { isRetired = true }
            throw failure.error
        } catch let error as PostgresError {
            throw error
        } catch {
            preconditionFailure("an exchange threw an error of an unknown type: \(error)")
        }
    }

    /// Runs `body` on the connection's thread and raises its flag when the calling task is cancelled.
    private nonisolated func interruptible<Value: Sendable>(
        _ body: @Sendable (isolated PostgresConnection, CancellationFlag) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let flag = CancellationFlag()
        let result: Result<Value, PostgresError> = await withTaskCancellationHandler {
            await isolated(flag, body)
        } onCancel: {
            flag.raise()
            wake.signal()
        }
        return try result.get()
    }

    private func isolated<Value: Sendable>(
        _ flag: CancellationFlag,
        _ body: @Sendable (isolated PostgresConnection, CancellationFlag) throws(PostgresError) -> Value
    ) -> Result<Value, PostgresError> {
        do throws(PostgresError) {
            return .success(try body(self, flag))
        } catch {
            return .failure(error)
        }
    }
}
