import PostgresClient
import TestSupport
import Testing

@Suite("The pool on a real server", .timeLimit(.minutes(5)))
struct ConnectionPoolTests {
    private func backend(_ connection: PostgresConnection) async throws -> Int {
        try await #require(connection.query("SELECT pg_backend_pid() AS pid").first).decode("pid")
    }

    private func backend(_ client: PostgresClient) async throws -> Int {
        try await #require(client.query("SELECT pg_backend_pid() AS pid").first).decode("pid")
    }

    @Test("Connections are reused, and there are never more than allowed")
    func bound() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnections = 3 }) { database async throws in
            let client = database.client
            #expect(client.statistics == .init(open: 0, idle: 0, waiting: 0))
            let first = try await backend(client)
            #expect(try await backend(client) == first)
            let backends = Recorder<Int>()
            try await withThrowingTaskGroup { group in
                for _ in 0..<40 {
                    group.addTask {
                        backends.report(try await backend(client))
                        #expect(client.statistics.open <= 3)
                    }
                }
                try await group.waitForAll()
            }
            #expect(Set(backends.values).count <= 3)
            let statistics = client.statistics
            #expect(statistics.open == statistics.idle)
            #expect(statistics.waiting == 0)
        }
    }

    @Test("Callers are served in the order in which they came")
    func firstComeFirstServed() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnections = 1 }) { database async throws in
            let client = database.client
            let order = Recorder<Int>()
            try await withThrowingTaskGroup { group in
                try await client.withConnection { _ in
                    for number in 0..<8 {
                        group.addTask {
                            try await client.withConnection { connection async throws in
                                order.report(number)
                                try await connection.execute("SELECT 1")
                            }
                        }
                        try await until("caller \(number) waits") { client.statistics.waiting == number + 1 }
                    }
                }
                try await group.waitForAll()
            }
            #expect(order.values == Array(0..<8))
        }
    }

    @Test("Who waits too long, or finds too many waiting, is told that the pool is exhausted")
    func exhaustion() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client {
                $0.maximumConnections = 1
                $0.maximumWaiters = 1
                $0.acquisitionTimeout = .milliseconds(300)
            }
            try await client.withConnection { connection async throws in
                let error = await postgresError { try await client.query("SELECT 1") }
                #expect(error?.code == .poolExhausted)
                #expect(error?.isRetriable == true)
                #expect(client.statistics == .init(open: 1, idle: 0, waiting: 0))
            }
            let patient = database.client {
                $0.maximumConnections = 1
                $0.maximumWaiters = 1
            }
            try await withThrowingTaskGroup { group in
                try await patient.withConnection { _ in
                    group.addTask { _ = try await patient.query("SELECT 1") }
                    try await until("one waits") { patient.statistics.waiting == 1 }
                    #expect(await errorCode { try await patient.query("SELECT 1") } == .poolExhausted)
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("A cancelled caller leaves the queue")
    func cancelledWaiter() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnections = 1 }) { database async throws in
            let client = database.client
            try await client.withConnection { _ in
                try await withThrowingTaskGroup { group in
                    group.addTask { await errorCode { try await client.query("SELECT 1") } }
                    try await until("one waits") { client.statistics.waiting == 1 }
                    group.cancelAll()
                    #expect(try await group.next() == .some(.cancelled))
                }
                #expect(client.statistics.waiting == 0)
            }
            #expect(try await client.query("SELECT 1").count == 1)
        }
    }

    @Test("A connection whose backend was terminated while idle is replaced before it is handed out")
    func terminatedWhileIdle() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnections = 1 }) { database async throws in
            let pid = try await backend(database.client)
            let rows = try await database.admin.query("SELECT pg_terminate_backend(\(Int32(pid)), 60000) AS gone")
            #expect(rows.first?["gone"] == "t")
            #expect(try await backend(database.client) != pid)
            #expect(database.client.statistics == .init(open: 1, idle: 1, waiting: 0))
        }
    }

    @Test("A connection that is terminated while in use fails its statement and is replaced")
    func terminatedInUse() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnections = 1 }) { database async throws in
            let client = database.client
            try await client.withConnection { connection async throws in
                let error = await postgresError {
                    try await connection.query("SELECT pg_terminate_backend(pg_backend_pid())")
                }
                #expect(error?.code == .adminShutdown)
                #expect(error?.isRetriable == true)
                #expect(await errorCode { try await connection.query("SELECT 1") } == .connectionLost)
            }
            #expect(client.statistics.open == 0)
            #expect(try await client.query("SELECT 1").count == 1)
        }
    }

    @Test("A connection left in a transaction is not handed to anybody else")
    func abandonedTransaction() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnections = 1 }) { database async throws in
            let client = database.client
            try await client.execute("CREATE TABLE t (id int)")
            let pid = try await client.withConnection { connection async throws in
                try await connection.execute("BEGIN")
                try await connection.execute("INSERT INTO t VALUES (1)")
                return try await backend(connection)
            }
            #expect(client.statistics.open == 0)
            #expect(try await backend(client) != pid)
            #expect(try await client.query("SELECT * FROM t").isEmpty)
        }
    }

    @Test("A connection past its age is replaced at the next use, also without run()")
    func ageAtUse() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnectionAge = .zero }) { database async throws in
            let first = try await backend(database.client)
            #expect(try await backend(database.client) != first)
            #expect(database.client.statistics.open == 0)
        }
    }

    /// What ends a connection that is not used.
    enum Retirement: CaseIterable {
        case age
        case idleness
    }

    @Test("run() closes unused connections, and the client when it is cancelled", arguments: Retirement.allCases)
    func maintenance(retirement: Retirement) async throws {
        try await PostgresServerFixture.withDatabase({
            switch retirement {
            case .age: $0.maximumConnectionAge = .milliseconds(400)
            case .idleness: $0.maximumIdleTime = .milliseconds(400)
            }
        }) { database async throws in
            let client = database.client
            await withTaskGroup { group in
                group.addTask { await client.run() }
                do {
                    for _ in 0..<2 {
                        #expect(try await client.query("SELECT 1").count == 1)
                        try await until("the connection is too old") { client.statistics.open == 0 }
                    }
                    try await client.withConnection { connection async throws in
                        group.cancelAll()
                        await group.waitForAll()
                        // What was lent stays usable and is closed when it comes back.
                        #expect(try await connection.query("SELECT 1").count == 1)
                        #expect(await errorCode { try await client.query("SELECT 1") } == .clientClosed)
                    }
                } catch {
                    Issue.record(error)
                }
            }
            #expect(client.statistics == .init(open: 0, idle: 0, waiting: 0))
        }
    }

    @Test("Closing the client ends the wait of those in the queue")
    func closingWithWaiters() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumConnections = 1 }) { database async throws in
            let client = database.client
            try await client.withConnection { _ in
                await withTaskGroup(of: PostgresError.Code?.self) { group in
                    group.addTask { await errorCode { try await client.query("SELECT 1") } }
                    try? await until("one waits") { client.statistics.waiting == 1 }
                    await withTaskGroup { runner in
                        runner.addTask { await client.run() }
                        runner.cancelAll()
                    }
                    #expect(await group.next() == .some(.clientClosed))
                }
            }
            #expect(client.statistics.open == 0)
        }
    }

    @Test("Without a server every caller gets an error and none is left waiting")
    func noServer() async throws {
        var configuration = try PostgresServerFixture.patient(
            "postgres://u@127.0.0.1:\(try PostgresServer.freePort())/d")
        configuration.maximumConnections = 2
        let client = PostgresClient(configuration, logger: .silent)
        await withTaskGroup { group in
            for _ in 0..<20 {
                group.addTask {
                    #expect(await errorCode { try await client.query("SELECT 1") } == .connectionFailed)
                }
            }
        }
        #expect(client.statistics == .init(open: 0, idle: 0, waiting: 0))
    }
}
