/// What a checker found.
struct CheckResult: Sendable, Codable {
    enum State: String, Sendable, Codable {
        case passed
        case failed
        /// What would be checked does not exist in this build: neither passed nor failed.
        case notInThisBuild = "not in this build"
    }

    /// More of them say nothing more.
    static let violationsMaximum = 20

    var name: String
    var state: State
    var figures: [String: Double]
    /// The first of them; `figures["violations"]` counts all.
    var violations: [String]

    init(_ name: String, figures: [String: Double], violations: [String]) {
        self.name = name
        state = violations.isEmpty ? .passed : .failed
        self.figures = figures
        self.figures["violations"] = Double(violations.count)
        self.violations = Array(violations.prefix(Self.violationsMaximum))
    }

    /// The result of a check; one that cannot be made has failed.
    static func of(_ name: String, _ check: () async throws -> CheckResult) async -> CheckResult {
        do {
            return try await check()
        } catch {
            return CheckResult(name, figures: [:], violations: ["cannot be checked: \(error)"])
        }
    }

    init(_ name: String, missing: String) {
        self.name = name
        state = .notInThisBuild
        figures = [:]
        violations = [missing]
    }
}
