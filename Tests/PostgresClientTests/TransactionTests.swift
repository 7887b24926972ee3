import PostgresClient
import TestSupport
import Testing

@Suite("Transactions and locks", .timeLimit(.minutes(5)))
struct TransactionTests {
    private struct Refusal: Error {}

    @Test("What the body did is there when it returns and gone when it throws")
    func commitAndRollback() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnections = 1 }) { database async throws in
            let client = database.client
            try await client.execute("CREATE TABLE t (id int)")
            let answer = try await client.withTransaction { connection async throws in
                try await connection.execute("INSERT INTO t VALUES (1)")
                return "done"
            }
            #expect(answer == "done")
            await #expect(throws: Refusal.self) {
                try await client.withTransaction { connection async throws in
                    try await connection.execute("INSERT INTO t VALUES (2)")
                    throw Refusal()
                }
            }
            #expect(try await client.query("SELECT id FROM t").map { $0["id"] } == ["1"])
            #expect(client.statistics == .init(open: 1, idle: 1, waiting: 0))
        }
    }

    @Test("An error that the body swallowed does not become a silent rollback")
    func swallowedError() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            try await database.client.execute("CREATE TABLE t (id int)")
            let code = await errorCode {
                try await database.client.withTransaction { connection async throws in
                    try await connection.execute("INSERT INTO t VALUES (1)")
                    _ = try? await connection.execute("SELECT 1/0")
                }
            }
            #expect(code == .transactionAborted)
            #expect(try await database.client.query("SELECT * FROM t").isEmpty)
        }
    }

    @Test("A constraint that is checked at the commit refuses it, and that is no unknown outcome")
    func deferredConstraint() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            try await database.client.execute("CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            let code = await errorCode {
                try await database.client.withTransaction { connection async throws in
                    try await connection.execute("INSERT INTO t VALUES (1), (1)")
                }
            }
            #expect(code == .uniqueViolation)
            #expect(try await database.client.query("SELECT * FROM t").isEmpty)
        }
    }

    @Test("Transactions do not nest")
    func nesting() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            try await database.client.withTransaction { connection async throws in
                let code = await errorCode { try await connection.withTransaction { _ in } }
                #expect(code == .invalidArgument)
            }
        }
    }

    @Test("Every isolation level is what it says", arguments: TransactionIsolation.allCases)
    func isolation(level: TransactionIsolation) async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let shown = try await database.client.withTransaction(isolation: level) { connection async throws in
                try await connection.query("SHOW transaction_isolation").first?[0]
            }
            #expect(shown?.uppercased() == level.rawValue)
        }
    }

    @Test("Of two transactions that cannot be serialised one is told to run again")
    func serialization() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client
            try await client.execute("CREATE TABLE t (id int, n int)")
            try await client.execute("INSERT INTO t VALUES (1, 0)")
            let error = await postgresError {
                try await client.withTransaction(isolation: .repeatableRead) { connection async throws in
                    _ = try await connection.query("SELECT n FROM t")
                    try await client.execute("UPDATE t SET n = n + 1")
                    try await connection.execute("UPDATE t SET n = n + 1")
                }
            }
            #expect(error?.code == .serializationFailure)
            #expect(error?.isRetriable == true)
        }
    }

    @Test("A task cancelled before the commit commits nothing")
    func cancelledBeforeCommit() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client
            try await client.execute("CREATE TABLE t (id int)")
            await withTaskGroup(of: PostgresError.Code?.self) { group in
                group.addTask {
                    await errorCode {
                        try await client.withTransaction { connection async throws in
                            try await connection.execute("INSERT INTO t VALUES (1)")
                            withUnsafeCurrentTask { $0?.cancel() }
                        }
                    }
                }
                #expect(await group.next() == .some(.cancelled))
            }
            #expect(try await client.query("SELECT * FROM t").isEmpty)
        }
    }

    @Test("A cancelled task's statement is cancelled on the server and its connection is free again")
    func cancelledStatement() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnections = 1 }) { database async throws in
            let client = database.client
            let running: SQLStatement =
                "SELECT FROM pg_stat_activity WHERE datname = \(database.name) AND query = 'SELECT pg_sleep(900)'"
            try await withThrowingTaskGroup(of: PostgresError?.self) { group in
                group.addTask { await postgresError { try await client.query("SELECT pg_sleep(900)") } }
                try await until("the statement runs") { try await database.admin.query(running).count == 1 }
                group.cancelAll()
                let error = try await group.next() ?? nil
                #expect(error?.code == .cancelled)
                // It was the server that confirmed it, and not this side that stopped waiting.
                #expect(error?.sqlState == "57014")
            }
            try await until("the server has given it up") { try await database.admin.query(running).isEmpty }
            #expect(client.statistics == .init(open: 0, idle: 0, waiting: 0))
            #expect(try await client.query("SELECT 1").count == 1)
        }
    }

    @Test("A statement of a task that is cancelled already is not sent, and the connection stays")
    func cancelledBeforehand() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            try await database.client.execute("CREATE TABLE t (id int)")
            try await database.client.withConnection { connection async throws in
                await withTaskGroup(of: PostgresError.Code?.self) { group in
                    group.addTask {
                        withUnsafeCurrentTask { $0?.cancel() }
                        return await errorCode { try await connection.execute("INSERT INTO t VALUES (1)") }
                    }
                    #expect(await group.next() == .some(.cancelled))
                }
                #expect(try await connection.query("SELECT * FROM t").isEmpty)
            }
            #expect(database.client.statistics == .init(open: 1, idle: 1, waiting: 0))
        }
    }

    @Test("An advisory lock is held by one at a time, and its holder's end frees it")
    func advisoryLock() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client
            let answer = try await client.withAdvisoryLock(42) { connection async throws in
                let error = await postgresError {
                    try await client.withAdvisoryLock(42, waitingAtMost: .milliseconds(200)) { _ in }
                }
                #expect(error?.code == .lockNotAvailable)
                #expect(error?.isRetriable == true)
                try await client.withAdvisoryLock(43) { _ in }
                return try await connection.query("SELECT 'held'").first?[0]
            }
            #expect(answer == "held")
            await #expect(throws: Refusal.self) {
                try await client.withAdvisoryLock(42) { _ in throw Refusal() }
            }
            await withTaskGroup(of: PostgresError.Code?.self) { group in
                group.addTask {
                    await errorCode {
                        try await client.withAdvisoryLock(42) { connection async throws in
                            withUnsafeCurrentTask { $0?.cancel() }
                            try await connection.execute("SELECT 1")
                        }
                    }
                }
                #expect(await group.next() == .some(.cancelled))
            }
            // Were one of the two still holding it, this would not come back.
            try await client.withAdvisoryLock(42) { _ in }
            let held = try await database.admin.query(
                """
                SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE locktype = 'advisory' AND datname = \(database.name)
                """
            )
            #expect(held.isEmpty)
        }
    }
}
