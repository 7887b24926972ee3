/// Asks an outside process or its data again and again until the answer is there.
///
/// For what no callback tells: another process' life, what it wrote, what a server holds. The deadline is generous,
/// because a busy machine is no failure; nothing asserts on how long it took.
///
/// - Parameters:
///   - limit: how long to ask.
///   - what: what is waited for, for the failure's text.
///   - answer: returns `nil` as long as it is not there.
/// - Returns: the answer.
/// - Throws: `ChildProcess.Failure` at the limit, or what `answer` throws.
package func eventually<Answer>(
    within limit: Duration = .seconds(60), _ what: String, _ answer: () async throws -> Answer?
) async throws -> Answer {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await answer() { return value }
        guard ContinuousClock.now < deadline else { throw ChildProcess.Failure("\(what): not within \(limit)") }
        // tidy:allow Task.sleep an outside process has no event to wait for
        try await Task.sleep(for: .milliseconds(10))
    }
}

/// The same for a condition.
package func eventually(
    within limit: Duration = .seconds(60), _ what: String, isTrue condition: () async throws -> Bool
) async throws {
    _ = try await eventually(within: limit, what) { try await condition() ? true : nil }
}
