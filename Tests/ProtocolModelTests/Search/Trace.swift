/// The steps of a run and what was wrong behind the last of them.
struct Trace: Hashable, Sendable, CustomStringConvertible {
    let configuration: Configuration
    var steps: [Step]
    /// Whether the violation came up only when everybody worked to the end.
    var isAtTheEnd: Bool
    var violations: [String]

    var description: String {
        (steps.map { "  \($0)" } + (isAtTheEnd ? ["  … and on to the end"] : []) + violations.map { "→ \($0)" })
            .joined(separator: "\n")
    }

    /// Runs steps, those that are possible, and then to the end; `nil` when nothing was wrong.
    static func run(_ steps: [Step], _ configuration: Configuration) -> Trace? {
        var world = World(configuration)
        var taken: [Step] = []
        for step in steps {
            let before = world.store
            guard world.take(step) else { continue }
            taken.append(step)
            let found = world.check(before)
            if !found.isEmpty {
                return Trace(configuration: configuration, steps: taken, isAtTheEnd: false, violations: found)
            }
        }
        let found = world.finish { $0.check($1) }
        return found.isEmpty
            ? nil : Trace(configuration: configuration, steps: taken, isAtTheEnd: true, violations: found)
    }

    /// The shortest trace that leaving out steps can find: halves, quarters, and so on down to single steps.
    func shortened() -> Trace {
        var best = self
        var size = max(1, best.steps.count / 2)
        while true {
            var start = 0
            var isShorter = false
            while start < best.steps.count {
                let kept = Array(best.steps[..<start] + best.steps[min(best.steps.count, start + size)...])
                if let found = Trace.run(kept, configuration) {
                    best = found
                    isShorter = true
                } else {
                    start += size
                }
            }
            if size == 1, !isShorter { return best }
            size = max(1, size / 2)
        }
    }
}

extension World {
    /// Everything that is wrong with this state and with how it came about.
    func check(_ before: ModelStore) -> [String] {
        guard store != before else { return violations() }
        return violations(since: before) + violations()
    }
}
