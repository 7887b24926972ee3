import Testing

@testable import PostgresClient

@Suite("Rows and their values")
struct PostgresRowTests {
    private let row = PostgresRow(
        columns: PostgresColumns(names: ["id", "name", "gone", "ok", "bytes", "id"]),
        values: ["42", "Zoë", nil, "t", "\\x00ff10", "43"])

    @Test("Columns are found by name and by position, the first of two with one name")
    func lookup() throws {
        #expect(try row.decode("id", as: Int.self) == 42)
        #expect(try row.decode(5, as: Int64.self) == 43)
        #expect(try row.decode("name") == "Zoë")
        #expect(try row.decode("ok", as: Bool.self))
        #expect(try row.decode("bytes", as: [UInt8].self) == [0, 255, 16])
        #expect(try row.decode("gone", as: String?.self) == nil)
        #expect(try row.decode("id", as: Double?.self) == 42)
        #expect(row["name"] == "Zoë")
        #expect(row["nobody"] == nil)
        #expect(row[9] == nil)
        #expect(row.columnNames.count == 6)
    }

    @Test("A wrong request names the column and keeps the value to itself")
    func failures() {
        let missing = #expect(throws: PostgresError.self) { try row.decode("age", as: Int.self) }
        #expect(missing?.code == .decodingFailed)
        #expect(missing?.message.contains("age") == true)
        let null = #expect(throws: PostgresError.self) { try row.decode("gone", as: String.self) }
        #expect(null?.message.contains("NULL") == true)
        let type = #expect(throws: PostgresError.self) { try row.decode("name", as: Int.self) }
        #expect(type?.message.contains("name") == true)
        #expect(type?.message.contains("Zoë") == false)
        #expect(throws: PostgresError.self) { try row.decode(6, as: Int.self) }
        #expect(throws: PostgresError.self) { try row.decode(-1, as: Int.self) }
        #expect(throws: PostgresError.self) { try row.decode("name", as: Bool?.self) }
        #expect(throws: PostgresError.self) { try row.decode("name", as: [UInt8].self) }
    }

    @Test("Hexadecimal text that is none is refused", arguments: ["\\x0", "\\x0g", "00", "", "\\X00"])
    func badHexadecimal(text: String) {
        #expect([UInt8](postgresText: text) == nil)
    }

    @Test(
        "Times are read to the microsecond",
        arguments: [
            ("1970-01-01 00:00:00+00", 0),
            ("1970-01-01 00:00:00.000001+00", 1),
            ("1970-01-01 00:00:00.5+00", 500_000),
            ("1969-12-31 23:59:59.999999+00", -1),
            ("2000-02-29 12:34:56.789+00", 951_827_696_789_000),
            ("2026-03-01 00:00:00+00", 1_772_323_200_000_000),
            ("2100-03-01 00:00:00+00", 4_107_542_400_000_000),
            ("0001-01-01 00:00:00+00", -62_135_596_800_000_000),
        ] as [(String, Int64)])
    func times(text: String, microseconds: Int64) {
        #expect(PostgresTimestamp.microseconds(text) == microseconds)
    }

    @Test(
        "Texts that are no point in time in UTC are refused",
        arguments: [
            "", "infinity", "-infinity", "2026-03-01", "2026-03-01 00:00:00", "2026-03-01 00:00:00+01",
            "0044-03-15 00:00:00+00 BC", "2026-13-01 00:00:00+00", "2026-03-01 24:00:00+00", "2026-03-01 00:00+00",
            "2026-03-01 00:00:00.+00", "2026-03-01 00:00:00.1234567+00", "20x6-03-01 00:00:00+00",
            "2026-03-01 00:00:00.1.2+00",
        ])
    func badTimes(text: String) {
        #expect(PostgresTimestamp.microseconds(text) == nil)
    }
}
