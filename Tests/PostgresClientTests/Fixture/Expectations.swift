import PostgresClient
import Testing

/// Returns the code of the error that `body` throws; records an issue when it throws none or another.
func errorCode<Result>(_ body: () async throws -> Result) async -> PostgresError.Code? {
    await postgresError(body)?.code
}

/// Returns the error that `body` throws; records an issue when it throws none or another.
func postgresError<Result>(_ body: () async throws -> Result) async -> PostgresError? {
    do {
        _ = try await body()
        Issue.record("no error was thrown")
        return nil
    } catch let error as PostgresError {
        return error
    } catch {
        Issue.record("another error was thrown: \(error)")
        return nil
    }
}

/// Asks again and again, giving way to other tasks, until `condition` holds; records an issue after two minutes.
func until(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("it never happened: \(what)")
            return
        }
        await Task.yield()
    }
}
