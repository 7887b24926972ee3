import TestSupport

/// All faults of a run, drawn from a seed alone, so that the same seed and numbers give the same run of decisions.
package struct FaultPlan: Equatable, Sendable {
    /// What there is to break.
    package struct Cast: Equatable, Sendable {
        /// Processes of each role.
        package var roles: [String: Int]
        package var devices: Int

        /// Makes a cast.
        package init(roles: [String: Int], devices: Int) {
            self.roles = roles
            self.devices = devices
        }
    }

    /// Longer than a worker's lease (3 s) and a gateway's heartbeat (8 s) at the upper end.
    package static let stopSeconds = 5.0...20.0
    package static let networkSeconds = 1.0...12.0
    /// Nobody else talks to Postgres.
    private static let rolesWithPostgres = ["coordinator", "speaker-sample", "webhook"]
    /// A server that was killed is started again after this.
    package static let serverPauseSeconds = 0.2...3.0

    package let seed: UInt64
    package let faults: [Fault]

    /// Draws a plan.
    ///
    /// - Parameters:
    ///   - seed: Everything follows from it.
    ///   - seconds: The time in which faults happen.
    ///   - count: How many.
    ///   - cast: Whom they may hit.
    package init(seed: UInt64, seconds: Double, count: Int, cast: Cast) {
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        let slot = seconds / Double(max(1, count))
        // One in each slot, anywhere in it: neither a lull nor everything at once.
        faults = (0..<count).map { index in
            let at = (Double(index) + Double.random(in: 0..<1, using: &random)) * slot
            return Self.draw(at: at, cast: cast, using: &random)
        }
    }

    /// Kills of each role, at moments of their own.
    ///
    /// - Parameters:
    ///   - seed: Everything follows from it.
    ///   - seconds: The time in which faults happen.
    ///   - kills: How many of each role.
    ///   - roles: Processes of each role.
    package init(seed: UInt64, seconds: Double, killsOfEach kills: Int, roles: [String: Int]) {
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        var faults: [Fault] = []
        for role in roles.keys.sorted() where roles[role] != 0 {
            for _ in 0..<kills {
                let index = Int.random(in: 0..<max(1, roles[role] ?? 1), using: &random)
                faults.append(
                    Fault(
                        at: Double.random(in: 0..<seconds, using: &random), kind: .kill, target: "\(role)-\(index)",
                        link: nil, duration: 0))
            }
        }
        self.faults = faults.sorted { $0.at < $1.at }
    }

    private static func draw(at: Double, cast: Cast, using random: inout SeededGenerator) -> Fault {
        let share = Double.random(in: 0..<1, using: &random)
        if share < 0.5 { return process(at: at, cast: cast, using: &random) }
        if share < 0.68 { return server(at: at, using: &random) }
        if share < 0.86 { return link(at: at, cast: cast, using: &random) }
        return device(at: at, cast: cast, using: &random)
    }

    private static func process(at: Double, cast: Cast, using random: inout SeededGenerator) -> Fault {
        let kind: Fault.Kind = pick([.kill, .kill, .stop, .restart], using: &random)
        let duration = kind == .stop ? Double.random(in: stopSeconds, using: &random) : 0
        return Fault(at: at, kind: kind, target: node(cast, using: &random), link: nil, duration: duration)
    }

    private static func server(at: Double, using random: inout SeededGenerator) -> Fault {
        let kind: Fault.Kind = pick([.kill, .stop, .restart, .down], using: &random)
        let target = pick(["redis", "postgres"], using: &random)
        let seconds = kind == .stop || kind == .down ? stopSeconds : serverPauseSeconds
        return Fault(
            at: at, kind: kind, target: target, link: kind == .down ? target : nil,
            duration: Double.random(in: seconds, using: &random))
    }

    private static func link(at: Double, cast: Cast, using random: inout SeededGenerator) -> Fault {
        let kinds: [Fault.Kind] = [.cut, .slow, .partition, .strand, .slice, .limit, .slowClose]
        let kind = pick(kinds, using: &random)
        let target = node(cast, using: &random)
        let hasPostgres = rolesWithPostgres.contains { target.hasPrefix($0) }
        let link = hasPostgres ? pick(["redis", "postgres"], using: &random) : "redis"
        return Fault(
            at: at, kind: kind, target: target, link: link,
            duration: kind == .cut || kind == .strand ? 0 : Double.random(in: networkSeconds, using: &random))
    }

    private static func device(at: Double, cast: Cast, using random: inout SeededGenerator) -> Fault {
        let kind: Fault.Kind = pick([.cut, .cut, .slow, .partition, .slice, .limit], using: &random)
        let index = Int.random(in: 0..<max(1, cast.devices), using: &random)
        return Fault(
            at: at, kind: kind, target: "device-\(index)", link: "gateway",
            duration: kind == .cut ? 0 : Double.random(in: networkSeconds, using: &random))
    }

    /// Each role is as likely as the others, whatever the number of its processes.
    private static func node(_ cast: Cast, using random: inout SeededGenerator) -> String {
        let roles = cast.roles.filter { $0.value > 0 }.keys.sorted()
        let role = pick(roles.isEmpty ? ["gateway"] : roles, using: &random)
        return "\(role)-\(Int.random(in: 0..<max(1, cast.roles[role] ?? 1), using: &random))"
    }

    private static func pick<Value>(_ values: [Value], using random: inout SeededGenerator) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }
}
