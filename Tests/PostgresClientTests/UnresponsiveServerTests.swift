import Glibc
import PostgresClient
import TestSupport
import Testing

@Suite("Servers that hang, stop and come back", .timeLimit(.minutes(5)))
struct UnresponsiveServerTests {
    private func backend(_ connection: PostgresConnection) async throws -> pid_t {
        try await #require(connection.query("SELECT pg_backend_pid() AS pid").first).decode("pid", as: Int32.self)
    }

    @Test("A port that accepts and never answers costs the connect timeout and no more")
    func silentPort() async throws {
        let listener = try SilentListener()
        var configuration = try PostgresServerFixture.patient("postgres://u:p@127.0.0.1:\(listener.port)/d")
        configuration.connectTimeout = .milliseconds(300)
        configuration.maximumConnections = 1
        let client = PostgresClient(configuration, logger: .silent)
        await withTaskGroup { group in
            for _ in 0..<3 {
                group.addTask {
                    let error = await postgresError { try await client.query("SELECT 1") }
                    #expect(error?.code == .timedOut)
                    #expect(error?.isRetriable == true)
                }
            }
        }
        #expect(client.statistics == .init(open: 0, idle: 0, waiting: 0))
    }

    @Test("Opening a connection can be cancelled")
    func cancelledConnecting() async throws {
        let listener = try SilentListener()
        let client = PostgresClient(
            try PostgresServerFixture.patient("postgres://u:p@127.0.0.1:\(listener.port)/d"), logger: .silent)
        await withTaskGroup(of: PostgresError.Code?.self) { group in
            group.addTask { await errorCode { try await client.query("SELECT 1") } }
            try? await until("a connection is being opened") { client.statistics.open == 1 }
            group.cancelAll()
            #expect(await group.next() == .some(.cancelled))
        }
        #expect(client.statistics.open == 0)
    }

    @Test("The server ends a statement at its timeout and the connection goes on")
    func statementTimeout() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            try await database.client.withConnection { connection async throws in
                let error = await postgresError {
                    try await connection.query("SELECT pg_sleep(600)", timeout: .milliseconds(200))
                }
                #expect(error?.code == .timedOut)
                #expect(error?.sqlState == "57014")
                // The timeout of one statement does not stay for the next.
                #expect(try await connection.query("SHOW statement_timeout").first?[0] == "1min")
            }
            #expect(database.client.statistics == .init(open: 1, idle: 1, waiting: 0))
        }
    }

    @Test("The configured statement timeout holds, and a longer one can be asked for")
    func configuredTimeout() async throws {
        try await PostgresServerFixture.withDatabase({ $0.statementTimeout = .milliseconds(500) }) {
            database async throws in
            #expect(await errorCode { try await database.client.query("SELECT pg_sleep(600)") } == .timedOut)
            #expect(try await database.client.query("SELECT pg_sleep(0.8)", timeout: .seconds(60)).count == 1)
            let code = await errorCode {
                try await database.client.withTransaction { connection async throws in
                    try await connection.query("SELECT pg_sleep(600)", timeout: .milliseconds(100))
                }
            }
            #expect(code == .timedOut)
            #expect(try await database.client.query("SHOW statement_timeout").first?[0] == "500ms")
        }
    }

    @Test("A statement on a stopped backend ends at the timeout and its grace, and the pool goes on")
    func stoppedBackend() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client {
                $0.maximumConnections = 1
                $0.statementTimeout = .seconds(2)
                $0.statementGrace = .milliseconds(500)
            }
            try await client.withConnection { connection async throws in
                let pid = try await backend(connection)
                #expect(kill(pid, SIGSTOP) == 0)
                defer { kill(pid, SIGCONT) }
                let error = await postgresError { try await connection.query("SELECT 1") }
                #expect(error?.code == .timedOut)
                #expect(error?.sqlState == nil)
                #expect(await errorCode { try await connection.query("SELECT 1") } == .connectionLost)
            }
            #expect(try await client.query("SELECT 1").count == 1)
        }
    }

    @Test("A connection idle for more than a second whose backend hangs is found by its ping and replaced")
    func stoppedWhileIdle() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client {
                $0.maximumConnections = 1
                $0.connectTimeout = .seconds(10)
            }
            let pid = try await client.withConnection { try await backend($0) }
            let returned = ContinuousClock.now
            #expect(kill(pid, SIGSTOP) == 0)
            defer { kill(pid, SIGCONT) }
            try await eventually("a second of idleness") { returned.duration(to: .now) > .milliseconds(1_100) }
            let other = try await client.withConnection { try await backend($0) }
            #expect(other != pid)
        }
    }

    @Test("A server that was restarted while the connections were idle fails no statement")
    func restarted() async throws {
        let server = try PostgresServer()
        defer { server.stop(removing: true) }
        let client = PostgresClient(try PostgresServerFixture.patient(server.url()), logger: .silent)
        for _ in 0..<3 {
            _ = try await client.query("SELECT 1")
            server.stop()
            try server.start()
            #expect(try await client.query("SELECT 1").count == 1)
        }
    }

    @Test("Cancelling a statement on a stopped backend does not wait for it")
    func cancelledOnStoppedBackend() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client { $0.cancellationGrace = .milliseconds(300) }
            try await client.withConnection { connection async throws in
                let pid = try await backend(connection)
                #expect(kill(pid, SIGSTOP) == 0)
                defer { kill(pid, SIGCONT) }
                await withTaskGroup(of: PostgresError.Code?.self) { group in
                    group.addTask { await errorCode { try await connection.query("SELECT 1") } }
                    group.cancelAll()
                    #expect(await group.next() == .some(.cancelled))
                }
            }
        }
    }

    @Test("A commit whose answer never comes is reported as unknown, and the server decides")
    func unknownCommit() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            try await database.client.execute("CREATE TABLE t (id int)")
            let client = database.client {
                $0.statementTimeout = .seconds(2)
                $0.statementGrace = .milliseconds(500)
            }
            var stopped: pid_t = 0
            let error = await postgresError {
                try await client.withTransaction { connection async throws in
                    try await connection.execute("INSERT INTO t VALUES (1)")
                    stopped = try await backend(connection)
                    #expect(kill(stopped, SIGSTOP) == 0)
                }
            }
            #expect(error?.code == .commitOutcomeUnknown)
            #expect(error?.isRetriable == false)
            #expect(client.statistics.open == 0)
            #expect(kill(stopped, SIGCONT) == 0)
            let pid = stopped
            try await until("the backend is gone") {
                try await database.admin.query("SELECT FROM pg_stat_activity WHERE pid = \(pid)").isEmpty
            }
            // The commit had reached the server's socket: this time the unknown outcome was a success.
            #expect(try await database.client.query("SELECT id FROM t").count == 1)
        }
    }

    @Test("A whole server that is stopped hangs nobody, and works again when it goes on")
    func stoppedServer() async throws {
        let server = try PostgresServer()
        defer { server.stop(removing: true) }
        var configuration = try PostgresServerFixture.patient(server.url())
        let patient = PostgresClient(configuration, logger: .silent)
        #expect(try await patient.query("SELECT 1").count == 1)
        configuration.connectTimeout = .milliseconds(300)
        let hasty = PostgresClient(configuration, logger: .silent)
        let postmaster = try server.postmaster
        #expect(kill(postmaster, SIGSTOP) == 0)
        #expect(await errorCode { try await hasty.query("SELECT 1") } == .timedOut)
        // Connections there are already have a backend of their own.
        #expect(try await patient.query("SELECT 1").count == 1)
        #expect(kill(postmaster, SIGCONT) == 0)
        let other = PostgresClient(try PostgresServerFixture.patient(server.url()), logger: .silent)
        #expect(try await other.query("SELECT 1").count == 1)
    }

    @Test("A restart of the server fails what is under way and nothing afterwards")
    func restart() async throws {
        let server = try PostgresServer()
        defer { server.stop(removing: true) }
        let client = PostgresClient(try PostgresServerFixture.patient(server.url()), logger: .silent)
        try await client.execute("CREATE TABLE t (id int)")
        try await withThrowingTaskGroup(of: PostgresError?.self) { group in
            group.addTask { await postgresError { try await client.query("SELECT pg_sleep(600)") } }
            try await until("the statement runs") {
                let rows = try await client.query(
                    "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'")
                return rows.count == 1
            }
            server.stop()
            let error = try #require(try await group.next() ?? nil)
            #expect([.adminShutdown, .connectionLost].contains(error.code))
            #expect(error.isRetriable)
        }
        let away = await postgresError { try await client.execute("INSERT INTO t VALUES (1)") }
        #expect(away?.code == .connectionFailed)
        try server.start()
        #expect(try await client.execute("INSERT INTO t VALUES (1)") == 1)
    }
}
