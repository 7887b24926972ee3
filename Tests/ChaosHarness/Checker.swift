/// One promise, checked after a run.
protocol Checker: Sendable {
    var name: String { get }
    func check(_ evidence: Evidence) async throws -> CheckResult
}
