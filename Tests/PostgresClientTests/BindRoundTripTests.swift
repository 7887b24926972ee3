import PostgresClient
import TestSupport
import Testing

@Suite("Values on their way to the server and back")
struct BindRoundTripTests {
    @Test("Every scalar type comes back as it went")
    func scalars() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let text = "naïve 👋 \"quoted\" 'single' \\back {brace} $1 \n\t\u{1}"
            let bytes: [UInt8] = Array(0...255)
            let rows = try await database.client.query(
                """
                SELECT \(text)::text AS text, \("")::text AS empty, \(Int.max) AS int, \(Int64.min) AS int64,
                       \(Int32.min) AS int32, \(0.1) AS double, \(true) AS yes, \(false) AS no, \(bytes) AS bytes,
                       \([] as [UInt8]) AS none, \("0190a1b2-0000-7000-8000-000000000001")::uuid AS uuid,
                       \(json: #"{"a": [1, "x\"y"]}"#) ->> 'a' AS json, \(microseconds: 1_772_323_200_000_001) AS time
                """)
            let row = try #require(rows.first)
            #expect(rows.count == 1)
            #expect(try row.decode("text") == text)
            #expect(try row.decode("empty") == "")
            #expect(try row.decode("int") == Int.max)
            #expect(try row.decode("int64") == Int64.min)
            #expect(try row.decode("int32") == Int32.min)
            #expect(try row.decode("double") == 0.1)
            #expect(try row.decode("yes", as: Bool.self))
            #expect(try !row.decode("no", as: Bool.self))
            #expect(try row.decode("bytes") == bytes)
            #expect(try row.decode("none") == [UInt8]())
            #expect(try row.decode("uuid") == "0190a1b2-0000-7000-8000-000000000001")
            #expect(try row.decode("json") == #"[1, "x\"y"]"#)
            #expect(row["time"] == "2026-03-01 00:00:00.000001+00")
            #expect(try row.decodeMicroseconds("time") == 1_772_323_200_000_001)
        }
    }

    @Test(
        "Doubles keep every bit",
        arguments: [0.0, -0.0, .pi, 1e-300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity, -.infinity])
    func doubles(value: Double) async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let row = try #require(
                try await database.client.query("SELECT \(value) AS value, \(Double.nan) AS nan").first)
            #expect(try row.decode("value", as: Double.self).bitPattern == value.bitPattern)
            #expect(try row.decode("nan", as: Double.self).isNaN)
        }
    }

    @Test("Times before 1970 and far from it stay exact")
    func times() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            for time: Int64 in [-1, 0, -62_135_596_800_000_000, 4_107_542_400_123_457, 8_000_000_000_000_001] {
                let rows = try await database.client.query("SELECT \(microseconds: time) AS time")
                #expect(try rows.first?.decodeMicroseconds("time") == time)
            }
        }
    }

    @Test("NULL comes back as nil, whatever its type")
    func nulls() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let rows = try await database.client.query(
                """
                SELECT \(nil as String?)::text, \(nil as Int?), \(nil as Int64?), \(nil as Double?), \(nil as Bool?),
                       \(nil as [UInt8]?), \(nil as [String]?), \(json: nil), \(microseconds: nil)
                """)
            let row = try #require(rows.first)
            #expect(row.columnNames.count == 9)
            for index in 0..<9 { #expect(try row.decode(index, as: String?.self) == nil) }
            #expect(await errorCode { try row.decode(0, as: String.self) } == .decodingFailed)
        }
    }

    @Test("Arrays of every type are unnested element by element, NULLs among them")
    func arrays() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let texts: [String?] = ["a", nil, "", "NULL", "null", "{", "}", ",", "\"", "\\", "\\\"", " b ", "ü\n'"]
            let back = try await database.client.query(
                "SELECT v FROM unnest(\(texts)) WITH ORDINALITY AS t(v, n) ORDER BY n")
            #expect(try back.map { try $0.decode("v", as: String?.self) } == texts)

            let rows = try await database.client.query(
                """
                SELECT i, o, d, b, s FROM unnest(
                    \([1, -2] as [Int64]), \([nil, 9] as [Int64?]), \([0.5, .infinity]), \([true, false]),
                    \(["x", "y"])) AS t(i, o, d, b, s)
                """)
            #expect(try rows.map { try $0.decode("i", as: Int64.self) } == [1, -2])
            #expect(try rows.map { try $0.decode("o", as: Int64?.self) } == [nil, 9])
            #expect(try rows.map { try $0.decode("d", as: Double.self) } == [0.5, .infinity])
            #expect(try rows.map { try $0.decode("b", as: Bool.self) } == [true, false])
            #expect(try rows.map { try $0.decode("s", as: String.self) } == ["x", "y"])
            let empty = try await database.client.query("SELECT cardinality(\([] as [String])) AS n")
            #expect(try empty.first?.decode("n", as: Int.self) == 0)
        }
    }

    @Test(
        "What looks like SQL stays a value",
        arguments: [
            "'; DROP TABLE notes; --", "\"; DELETE FROM notes; --", "$1", "\\'; DROP TABLE notes; --",
            "'||(SELECT 1)||'",
            "/* */ -- ", "{\"a\",NULL}", "E'\\x27'", "%s %d", "a;b",
        ])
    func injection(text: String) async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client
            try await client.execute("CREATE TABLE notes (body text)")
            try await client.execute("INSERT INTO notes VALUES (\(text))")
            try await client.execute("INSERT INTO notes SELECT unnest(\([text, text]))")
            let rows = try await client.query("SELECT body FROM notes WHERE body = \(text)")
            #expect(rows.map { $0["body"] } == [text, text, text])
        }
    }

    @Test("A NUL character is refused before anything is sent, and the connection goes on")
    func nulCharacter() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let error = await postgresError { try await database.client.query("SELECT \("a\0b")::text") }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("$1") == true)
            #expect(await errorCode { try await database.client.execute("SELECT \(["a\0b"])") } == .invalidArgument)
            #expect(try await database.client.query("SELECT 1 AS n").first?["n"] == "1")
            #expect(database.client.statistics == .init(open: 1, idle: 1, waiting: 0))
        }
    }

    @Test("Ten thousand rows are written, and written over, by one statement each")
    func bulkUpsert() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let client = database.client
            try await client.execute(
                "CREATE TABLE segments (id bigint PRIMARY KEY, body text, score float8, final bool, parent bigint)")
            let ids = Array(Int64(0)..<10_000)
            for round in 1...2 {
                let bodies = ids.map { $0 % 7 == 0 ? nil : "row \($0) of round \(round) with {\"quotes\", and commas}" }
                let affected = try await client.execute(
                    """
                    INSERT INTO segments
                    SELECT * FROM unnest(\(ids), \(bodies), \(ids.map { Double($0) / 3 }), \(ids.map { $0 % 2 == 0 }),
                                         \(ids.map { $0 % 5 == 0 ? nil : $0 - 1 }))
                    ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body
                    """)
                #expect(affected == 10_000)
            }
            let rows = try await client.query("SELECT * FROM segments ORDER BY id")
            #expect(rows.count == 10_000)
            let row = rows[9_998]
            #expect(try row.decode("body") == "row 9998 of round 2 with {\"quotes\", and commas}")
            #expect(try row.decode("score", as: Double.self) == 9_998.0 / 3)
            #expect(try row.decode("parent", as: Int64?.self) == 9_997)
            #expect(rows.count { $0["body"] == nil } == 1_429)
            #expect(rows.count { $0["parent"] == nil } == 2_000)
        }
    }

    @Test("A value of several megabytes passes in both directions")
    func largeValue() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let bytes = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let rows = try await database.client.query("SELECT \(bytes) AS bytes, length(\(bytes)) AS length")
            #expect(try rows.first?.decode("length", as: Int.self) == bytes.count)
            #expect(try rows.first?.decode("bytes", as: [UInt8].self) == bytes)
        }
    }
}
