import PostgresClient
import TestSupport
import Testing

@Suite("Errors of a real server")
struct ServerErrorTests {
    /// A statement that fails and how.
    struct Provocation: Sendable, CustomTestStringConvertible {
        let sql: String
        let code: PostgresError.Code
        let sqlState: String
        var testDescription: String { "\(sqlState) \(sql)" }

        init(_ sql: String, _ code: PostgresError.Code, _ sqlState: String) {
            self.sql = sql
            self.code = code
            self.sqlState = sqlState
        }
    }

    @Test(
        "Each failure has its code and state, and the connection goes on",
        arguments: [
            Provocation("INSERT INTO child VALUES (1, 1, 1)", .uniqueViolation, "23505"),
            Provocation("INSERT INTO child VALUES (2, 99, 1)", .foreignKeyViolation, "23503"),
            Provocation("INSERT INTO child VALUES (2, 1, NULL)", .notNullViolation, "23502"),
            Provocation("INSERT INTO child VALUES (2, 1, -1)", .checkViolation, "23514"),
            Provocation("SELECT * FROM nowhere", .undefinedTable, "42P01"),
            Provocation("SELECT nothing FROM child", .undefinedColumn, "42703"),
            Provocation("SELECT no_function(1)", .undefinedFunction, "42883"),
            Provocation("SELEC 1", .syntaxError, "42601"),
            Provocation("SELECT 1; SELECT 2", .syntaxError, "42601"),
            Provocation("SELECT 1/0", .invalidData, "22012"),
            Provocation("SELECT 'x'::int", .invalidData, "22P02"),
            Provocation("CREATE TABLE child ()", .duplicateObject, "42P07"),
            Provocation("CREATE TABLE nowhere.t ()", .undefinedSchema, "3F000"),
            Provocation("SAVEPOINT s", .invalidTransactionState, "25P01"),
            Provocation("DO $$ BEGIN RAISE EXCEPTION 'ours'; END $$", .serverError("P0001"), "P0001"),
            Provocation("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$", .deadlock, "40P01"),
            Provocation("SELECT pg_cancel_backend(pg_backend_pid())", .queryCancelled, "57014"),
        ])
    func provoked(_ provocation: Provocation) async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            try await database.client.withConnection { connection async throws in
                try await connection.executeScript(
                    """
                    CREATE TABLE parent (id int PRIMARY KEY);
                    CREATE TABLE child (id int CONSTRAINT child_key PRIMARY KEY, parent int REFERENCES parent,
                                        n int NOT NULL CHECK (n > 0));
                    INSERT INTO parent VALUES (1);
                    INSERT INTO child VALUES (1, 1, 1);
                    """)
                let error = await postgresError { try await connection.query(.init(unsafeSQL: provocation.sql)) }
                #expect(error?.code == provocation.code)
                #expect(error?.sqlState == provocation.sqlState)
                #expect(error?.message.isEmpty == false)
                #expect(try await connection.query("SELECT 1").count == 1)
            }
            #expect(database.client.statistics == .init(open: 1, idle: 1, waiting: 0))
        }
    }

    @Test("A unique violation names its table and constraint, and its values only in the detail")
    func constraintNames() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            try await database.client.execute("CREATE TABLE people (mail text CONSTRAINT people_mail UNIQUE)")
            try await database.client.execute("INSERT INTO people VALUES (\("ann@example.org"))")
            let error = await postgresError {
                try await database.client.execute("INSERT INTO people VALUES (\("ann@example.org"))")
            }
            #expect(error?.tableName == "people")
            #expect(error?.constraintName == "people_mail")
            #expect(error?.detail?.contains("ann@example.org") == true)
            #expect(error.map { "\($0)".contains("ann@") } == false)
        }
    }

    @Test("What a role may not do is an error of privilege")
    func privilege() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let role = "reader_\(database.name)"
            try await database.client.execute("CREATE TABLE secrets (id int)")
            try await database.admin.execute(
                "CREATE ROLE \(unsafeSQL: role) LOGIN PASSWORD '\(unsafeSQL: "pw")' CONNECTION LIMIT 1")
            let url = database.server.url(database: database.name, user: role, password: "pw")
            let client = PostgresClient(try PostgresServerFixture.patient(url), logger: .silent)
            #expect(await errorCode { try await client.query("SELECT * FROM secrets") } == .insufficientPrivilege)
            // The limit counts connections of the role: the first is still open.
            let other = PostgresClient(try PostgresServerFixture.patient(url), logger: .silent)
            let error = await postgresError { try await other.query("SELECT 1") }
            #expect(error?.code == .tooManyConnections)
            #expect(error?.sqlState == "53300")
            #expect(error?.isRetriable == true)
        }
    }

    @Test("A wrong password and a missing database are told apart, without the password")
    func connecting() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let secret = "wrong-secret-9"
            let wrong = database.server.url(database: database.name, password: secret)
            let client = PostgresClient(try PostgresServerFixture.patient(wrong), logger: .silent)
            let error = await postgresError { try await client.query("SELECT 1") }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.sqlState == "28P01")
            #expect(error?.isRetriable == false)
            #expect(error.map { "\($0)".contains(secret) } == false)
            #expect(client.statistics == .init(open: 0, idle: 0, waiting: 0))

            let missing = try PostgresServerFixture.patient(database.server.url(database: "missing"))
            let other = PostgresClient(missing, logger: .silent)
            #expect(await errorCode { try await other.query("SELECT 1") } == .undefinedDatabase)
        }
    }

    @Test("A Unix socket works as an address; nobody behind an address is a failed connection")
    func addresses() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let server = database.server
            let query = "host=\(server.directory)&port=\(server.port)&password=\(PostgresServer.encodedPassword)"
            let url = "postgres:///\(database.name)?user=earshot&\(query)"
            let local = PostgresClient(try PostgresServerFixture.patient(url), logger: .silent)
            let rows = try await local.query("SELECT inet_client_addr() IS NULL AS local")
            #expect(try rows.first?.decode("local", as: Bool.self) == true)

            for url in ["postgres://u@127.0.0.1:\(try PostgresServer.freePort())/d", "postgres:///d?host=/tmp/nowhere"]
            {
                let nobody = PostgresClient(try PostgresServerFixture.patient(url), logger: .silent)
                let error = await postgresError { try await nobody.query("SELECT 1") }
                #expect(error?.code == .connectionFailed)
                #expect(error?.isRetriable == true)
            }
        }
    }

    @Test("A script stops at its first failure, which undoes all of it, and COPY is refused")
    func scripts() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            try await database.client.withConnection { connection async throws in
                let error = await postgresError {
                    try await connection.executeScript("CREATE TABLE a (); SELECT 1/0; CREATE TABLE b ();")
                }
                #expect(error?.sqlState == "22012")
                #expect(await errorCode { try await connection.query("SELECT * FROM a") } == .undefinedTable)
                try await connection.executeScript("-- nothing but a comment")
                try await connection.executeScript("")
                #expect(
                    try await connection.query("SELECT generate_series(1, 3) AS n").map { $0["n"] } == ["1", "2", "3"])
            }
            let code = await errorCode {
                try await database.client.withConnection { try await $0.executeScript("COPY pg_class TO STDOUT") }
            }
            #expect(code == .invalidArgument)
            #expect(try await database.client.query("SELECT 1").count == 1)
        }
    }

    @Test("An answer over its bound is refused and the next one is not")
    func resultBound() async throws {
        try await PostgresServerFixture.withDatabase({ $0.maximumResultBytes = 10_000 }) { database async throws in
            let code = await errorCode {
                try await database.client.query("SELECT repeat('x', 100) FROM generate_series(1, 100000)")
            }
            #expect(code == .resultTooLarge)
            #expect(try await database.client.query("SELECT repeat('x', 9000) AS x").first?["x"]?.count == 9_000)
        }
    }

    @Test("The number of affected rows is what the server says")
    func affectedRows() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client
            #expect(try await client.execute("CREATE TABLE t (id int)") == 0)
            #expect(try await client.execute("INSERT INTO t SELECT generate_series(1, 5)") == 5)
            #expect(try await client.execute("UPDATE t SET id = id WHERE id > \(2)") == 3)
            #expect(try await client.execute("DELETE FROM t RETURNING id") == 5)
            #expect(try await client.query("SELECT * FROM t").isEmpty)
        }
    }
}
