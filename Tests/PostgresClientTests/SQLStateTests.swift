import Testing

@testable import PostgresClient

@Suite("From SQLSTATE to code")
struct SQLStateTests {
    @Test(
        "Every state has its code, and the code says whether to try again",
        arguments: [
            ("40001", .serializationFailure, true), ("40P01", .deadlock, true), ("08000", .connectionLost, true),
            ("08006", .connectionLost, true), ("08P01", .connectionLost, true), ("53300", .tooManyConnections, true),
            ("53100", .insufficientResources, true), ("53200", .insufficientResources, true),
            ("57P01", .adminShutdown, true), ("57P02", .adminShutdown, true), ("57P03", .serverStartingUp, true),
            ("57P04", .adminShutdown, true), ("57P05", .adminShutdown, true), ("25P03", .adminShutdown, true),
            ("25006", .readOnlyTransaction, true), ("55P03", .lockNotAvailable, true),
            ("57014", .queryCancelled, false),
            ("40003", .commitOutcomeUnknown, false), ("23505", .uniqueViolation, false),
            ("23503", .foreignKeyViolation, false), ("23502", .notNullViolation, false),
            ("23514", .checkViolation, false), ("23P01", .exclusionViolation, false),
            ("23001", .integrityViolation, false), ("22003", .invalidData, false), ("22P02", .invalidData, false),
            ("25P02", .transactionAborted, false), ("25001", .invalidTransactionState, false),
            ("28P01", .authenticationFailed, false), ("28000", .authenticationFailed, false),
            ("3D000", .undefinedDatabase, false), ("3F000", .undefinedSchema, false),
            ("42501", .insufficientPrivilege, false), ("42601", .syntaxError, false),
            ("42703", .undefinedColumn, false), ("42883", .undefinedFunction, false), ("42P01", .undefinedTable, false),
            ("42P07", .duplicateObject, false), ("42P04", .duplicateObject, false), ("42701", .duplicateObject, false),
            ("0A000", .featureNotSupported, false), ("P0001", .serverError("P0001"), false),
            ("XX000", .serverError("XX000"), false), ("", .serverError(""), false),
        ] as [(String, PostgresError.Code, Bool)])
    func table(state: String, code: PostgresError.Code, isRetriable: Bool) {
        #expect(SQLState.code(state) == code)
        #expect(PostgresError(code, "").isRetriable == isRetriable)
    }

    @Test("The state of a refused connection is found in any language")
    func verboseMessages() throws {
        let prefix = "connection to server at \"db: 5432:  x\", port 5432 failed: "
        let text = prefix + "FATAL:  28P01: password authentication failed for user \"a\"\nLOCATION:  auth_failed\n"
        let found = try #require(SQLState.inVerboseMessage(text))
        #expect(found.state == "28P01")
        #expect(found.text == "password authentication failed for user \"a\"")
        #expect(SQLState.inVerboseMessage("SCHWERWIEGEND:  3D000: weg")?.state == "3D000")
        #expect(SQLState.inVerboseMessage("connection refused") == nil)
        #expect(SQLState.inVerboseMessage("FATAL:  28p01: x") == nil)
        #expect(SQLState.inVerboseMessage("F:  12") == nil)
        #expect(SQLState.inVerboseMessage("") == nil)
    }

    @Test(
        "A commit that was refused is told from one nobody knows the end of",
        arguments: [
            (.connectionLost, true), (.timedOut, true), (.adminShutdown, true), (.queryCancelled, true),
            (.commitOutcomeUnknown, true), (.serializationFailure, false), (.uniqueViolation, false),
            (.deadlock, false), (.serverError("P0001"), false),
        ] as [(PostgresError.Code, Bool)])
    func commits(code: PostgresError.Code, isUnknown: Bool) {
        let error = PostgresConnection.commitError(PostgresError(code, "why", sqlState: "00000"))
        #expect(error.code == (isUnknown ? .commitOutcomeUnknown : code))
        #expect(error.message.contains("why"))
        #expect(error.sqlState == "00000")
    }
}
