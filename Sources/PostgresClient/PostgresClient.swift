import CLibPQ
package import Logging

/// A pool of connections to one Postgres server.
///
/// Queries work at once, whether or not ``run()`` has been called; `run()` replaces connections by age and, when it is
/// cancelled, closes the client. Nothing is opened before it is needed. Every call ends: waiting for a connection is
/// bounded by `acquisitionTimeout`, opening one by `connectTimeout`, a statement by `statementTimeout` and its grace.
package final class PostgresClient: Sendable {
    /// How the pool is used at the moment.
    package struct Statistics: Sendable, Equatable {
        /// Connections there are, also those being opened.
        package let open: Int
        /// Of these, the ones nobody uses.
        package let idle: Int
        /// Callers that wait for a connection.
        package let waiting: Int

        /// Creates a snapshot.
        package init(open: Int, idle: Int, waiting: Int) {
            self.open = open
            self.idle = idle
            self.waiting = waiting
        }
    }

    private let pool: ConnectionPool
    private let logger: Logger

    /// Creates a client; opens nothing.
    package init(_ configuration: PostgresConfiguration, logger: Logger) {
        self.logger = logger
        pool = ConnectionPool(configuration, logger: logger)
        logger.debug(
            "Created a Postgres client",
            metadata: ["postgres.target": "\(configuration)", "postgres.libpq.version": "\(PQlibVersion())"])
    }

    /// How the pool is used at the moment.
    package var statistics: Statistics { pool.statistics }

    /// Keeps the pool in order until the task is cancelled, then closes the client.
    ///
    /// From then on calls fail with `.clientClosed`; connections in use are closed when they are given back.
    package func run() async {
        await pool.run()
        logger.debug("Closed a Postgres client")
    }

    /// Runs one statement on a connection of the pool and returns its rows.
    package func query(
        _ statement: SQLStatement, timeout: Duration? = nil
    ) async throws(PostgresError) -> [PostgresRow] {
        try await perform(.statement(statement), timeout).rows
    }

    /// Runs one statement on a connection of the pool and returns how many rows it affected.
    @discardableResult
    package func execute(_ statement: SQLStatement, timeout: Duration? = nil) async throws(PostgresError) -> Int {
        try await perform(.statement(statement), timeout).affectedRows
    }

    /// Lends a connection to `body`.
    ///
    /// The connection goes back to the pool when `body` ends, and is closed instead if a transaction is left open on
    /// it. What else `body` leaves behind (settings, temporary tables, locks) is the next borrower's to find.
    package func withConnection<Result>(
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await pool.acquire()
        do {
            let result = try await body(connection)
            await pool.release(connection)
            return result
        } catch {
            await pool.release(connection)
            throw error
        }
    }

    /// Runs `body` in a transaction on a connection of the pool.
    ///
    /// See ``PostgresConnection/withTransaction(isolation:_:)`` for what is thrown; nothing is repeated here.
    package func withTransaction<Result>(
        isolation: TransactionIsolation = .readCommitted, _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await withConnection { connection in
            try await connection.withTransaction(isolation: isolation, body)
        }
    }

    /// Runs `body` while a connection of the pool holds the advisory lock `key`.
    ///
    /// See ``PostgresConnection/withAdvisoryLock(_:waitingAtMost:_:)``.
    package func withAdvisoryLock<Result>(
        _ key: Int64, waitingAtMost limit: Duration = .seconds(60),
        _ body: (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await withConnection { connection in
            try await connection.withAdvisoryLock(key, waitingAtMost: limit, body)
        }
    }

    private func perform(_ request: ExchangeRequest, _ timeout: Duration?) async throws(PostgresError) -> Exchange {
        let connection = try await pool.acquire()
        do {
            let exchange = try await connection.perform(request, timeout: timeout)
            await pool.release(connection)
            return exchange
        } catch {
            await pool.release(connection)
            throw error
        }
    }
}
