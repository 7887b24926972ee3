/// Every order of the steps of an alphabet, breadth first, so that the first violation has the shortest trace.
struct Explorer {
    private struct Node {
        let world: World
        let parent: Int
        let step: Step?
    }

    /// What a search came to.
    struct Outcome {
        var states = 0
        /// Every state that can be reached was visited.
        var isComplete = false
        /// Steps of the longest orders of which all were tried.
        var depth = 0
        var trace: Trace?
    }

    /// States visited at most: the rest of a larger space is left to the random runs.
    let statesMaximum: Int
    /// One of so many states is also followed to its end.
    let finishesOneOf: Int
    /// The steps that may be tried in a state; impossible ones do no harm.
    let alphabet: @Sendable (World) -> [Step]

    /// Searches from a state.
    func explore(from start: World) -> Outcome {
        var nodes = [Node(world: start, parent: -1, step: nil)]
        var depths = [0]
        var seen: Set<World> = [start]
        var outcome = Outcome()
        var next = 0
        while next < nodes.count, outcome.states < statesMaximum {
            let node = nodes[next]
            outcome.states += 1
            outcome.depth = max(outcome.depth, depths[next] - 1)
            if next % finishesOneOf == 0 {
                var world = node.world
                let found = world.finish { $0.check($1) }
                if !found.isEmpty {
                    outcome.trace = trace(to: next, nodes, isAtTheEnd: true, found)
                    return outcome
                }
            }
            for step in alphabet(node.world) {
                var world = node.world
                guard world.take(step), seen.insert(world).inserted else { continue }
                nodes.append(Node(world: world, parent: next, step: step))
                depths.append(depths[next] + 1)
                let found = world.check(node.world.store)
                if !found.isEmpty {
                    outcome.trace = trace(to: nodes.count - 1, nodes, isAtTheEnd: false, found)
                    return outcome
                }
            }
            next += 1
        }
        outcome.isComplete = next == nodes.count
        if outcome.isComplete { outcome.depth = depths.last ?? 0 }
        return outcome
    }

    private func trace(to last: Int, _ nodes: [Node], isAtTheEnd: Bool, _ violations: [String]) -> Trace {
        var steps: [Step] = []
        var index = last
        while let step = nodes[index].step {
            steps.append(step)
            index = nodes[index].parent
        }
        return Trace(
            configuration: nodes[last].world.configuration, steps: steps.reversed(), isAtTheEnd: isAtTheEnd,
            violations: violations)
    }
}
