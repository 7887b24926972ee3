import TestSupport
import Testing

/// All orders of small systems, up to a number of states.
@Suite("Protocol model: exhaustive searches")
struct ExhaustiveTests {
    /// Two frames in two entries, the end behind them, and the first worker with the lease.
    private func atTakeOver(_ configuration: Configuration) -> World {
        var schedule = Schedule(configuration)
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 1)
        schedule.deliver(0, 1)
        schedule.take(.unlink(0), .end(gateway: 0, session: session))
        schedule.pump(.gateway(0))
        schedule.own(.worker(0))
        return schedule.world
    }

    /// A session, and a coordinator's end of it that may come at any moment.
    private func atEnding(_ configuration: Configuration) throws -> World {
        var schedule = Schedule(configuration)
        let session = schedule.open(0, at: 0)
        var world = schedule.world
        world.stragglers = [[.end(session: session, epoch: nil, gateway: world.gateways[0].start)]]
        return world
    }

    private func explore(
        _ world: World, _ states: Int, _ alphabet: @escaping @Sendable (World) -> [Step]
    ) -> Explorer.Outcome {
        Explorer(statesMaximum: states, finishesOneOf: 25, alphabet: alphabet).explore(from: world)
    }

    @Test("Two workers, one partition: every order of taking over, reading, committing and losing replies")
    func takeOver() {
        let configuration = Configuration.small { $0.frames = 2 }
        let outcome = explore(atTakeOver(configuration), 6_000, Alphabet.takeOver)
        #expect(outcome.trace == nil, "\(outcome.trace as Any)")
        #expect(outcome.states == 6_000 || outcome.isComplete)
        #expect(outcome.depth >= 8)
        let broken = explore(atTakeOver(configuration.without(\.numbersCommits)), 6_000, Alphabet.takeOver)
        #expect(broken.trace != nil)
        let unfenced = explore(atTakeOver(configuration.without(\.fencesCommits)), 6_000, Alphabet.takeOver)
        #expect(unfenced.trace != nil)
    }

    @Test("A device, its gateway, and an end from elsewhere: every order of appends, checks and losses")
    func appending() throws {
        let configuration = Configuration.small { $0.frames = 2 }
        let outcome = explore(try atEnding(configuration), 6_000, Alphabet.appending)
        #expect(outcome.trace == nil, "\(outcome.trace as Any)")
        #expect(outcome.depth >= 8)
        let broken = explore(try atEnding(configuration.without(\.checksTail)), 6_000, Alphabet.appending)
        #expect(broken.trace != nil)
    }

    @Test("A device between two gateways: every order of cuts, resumes and late commands")
    func resuming() {
        let configuration = Configuration.small { $0.frames = 2 }
        let outcome = explore(World(configuration), 6_000, Alphabet.resuming)
        #expect(outcome.trace == nil, "\(outcome.trace as Any)")
        #expect(outcome.depth >= 8)
        let broken = explore(World(configuration.without(\.inheritsNext)), 6_000, Alphabet.resuming)
        #expect(broken.trace != nil)
    }
}
