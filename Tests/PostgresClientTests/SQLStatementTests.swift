import Testing

@testable import PostgresClient

@Suite("Statements by interpolation")
struct SQLStatementTests {
    @Test("Values become placeholders and never text")
    func placeholders() {
        let name = "'; DROP TABLE users; --"
        let statement: SQLStatement = "SELECT \(name), \(7) FROM \(unsafeSQL: "users") WHERE ok = \(true)"
        #expect(statement.sql == "SELECT $1, $2 FROM users WHERE ok = $3")
        #expect(statement.parameters.map(\.value) == [.text(name), .text("7"), .text("t")])
        #expect(statement.parameters.map(\.type) == [0, 20, 16])
    }

    @Test("The description holds no values")
    func description() {
        #expect("\("SELECT \("secret")" as SQLStatement)" == "SELECT $1")
    }

    @Test("JSON and times bring their own expression")
    func expressions() {
        let statement: SQLStatement = "SELECT \(json: "{}"), \(microseconds: 5)"
        #expect(statement.sql == "SELECT $1::jsonb, (timestamptz 'epoch' + $2 * interval '1 microsecond')")
        #expect(statement.parameters.map(\.type) == [0, 20])
    }

    @Test("NULL keeps its type")
    func nulls() {
        let statement: SQLStatement =
            "\(nil as Int?) \(nil as [UInt8]?) \(nil as [String]?) \(json: nil) \(microseconds: nil) \(nil as String?)"
        #expect(statement.parameters.map(\.type) == [20, 17, 1009, 0, 20, 0])
        #expect(statement.parameters.allSatisfy { $0.value == .null })
    }

    @Test("An element of an array cannot end it")
    func arrays() {
        let statement: SQLStatement = "\(["a\"},{", "b\\", "", "NULL", "ü,"]) \([1, nil] as [Int64?])"
        #expect(
            statement.parameters.map(\.value) == [
                .text(#"{"a\"},{","b\\","","NULL","ü,"}"#), .text(#"{"1",NULL}"#),
            ])
        #expect(statement.parameters.map(\.type) == [1009, 1016])
        let empty: SQLStatement = "\([] as [Double]) \([] as [UInt8])"
        #expect(empty.parameters.map(\.value) == [.text("{}"), .binary([])])
    }

    @Test("What the protocol cannot carry is refused and named")
    func refusals() {
        let statement: SQLStatement = "SELECT \("fine"), \("a\0b")"
        let error = #expect(throws: PostgresError.self) { try ExchangeRequest.statement(statement).validate() }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("$2") == true)
        let script = #expect(throws: PostgresError.self) { try ExchangeRequest.script("SELECT 1;\0").validate() }
        #expect(script?.code == .invalidArgument)
        let raw = SQLStatement(unsafeSQL: "SELECT 1\0")
        #expect(throws: PostgresError.self) { try ExchangeRequest.statement(raw).validate() }
        var many = SQLStatement.StringInterpolation(literalCapacity: 0, interpolationCount: 65_536)
        for number in 0..<65_535 { many.appendInterpolation(number) }
        #expect(throws: Never.self) { try ExchangeRequest.statement(.init(stringInterpolation: many)).validate() }
        many.appendInterpolation(1)
        let tooMany = #expect(throws: PostgresError.self) {
            try ExchangeRequest.statement(.init(stringInterpolation: many)).validate()
        }
        #expect(tooMany?.message.contains("65536") == true)
    }
}
