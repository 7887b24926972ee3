import AudioStreams
import EarshotModel
import Testing

@testable import WorkerRuntime

@Suite("Replay plan")
struct ReplayPlanTests {
    private let first = LaneKey.session(.new(at: 1))
    private let second = LaneKey.session(.new(at: 2))
    private let third = LaneKey.session(.new(at: 3))

    private func at(_ milliseconds: UInt64) -> StreamPosition {
        StreamPosition(milliseconds: milliseconds, sequence: 0)
    }

    private var plan: ReplayPlan { ReplayPlan(mode: .lapsed, position: at(1), horizon: at(10)) }

    @Test(
        "Only a lapse with something behind the position is replayed",
        arguments: [Lease.Mode.fresh, .released, .retaken])
    func modes(mode: Lease.Mode) {
        #expect(!ReplayPlan(mode: mode, position: at(1), horizon: at(10)).isReplaying)
        #expect(!ReplayPlan(mode: .lapsed, position: at(10), horizon: at(10)).isReplaying)
        #expect(plan.isReplaying)
    }

    @Test("One lane at a time has its turn, in the order of their first entries")
    func turns() {
        var plan = plan
        let held = [
            plan.holds(first, at: at(2)), plan.holds(second, at: at(3)), plan.holds(third, at: at(10)),
        ]
        #expect(held == [false, true, true] && plan.isInHand(first))
        let withdrawn = plan.finish(third)
        #expect(withdrawn == nil && plan.isInHand(first))
        let isHeldAgain = plan.holds(third, at: at(10))
        #expect(isHeldAgain)
        let turns = [plan.finish(first), plan.finish(second), plan.finish(third)]
        #expect(turns == [second, third, nil])
        #expect(plan.isReplaying)
    }

    @Test("A lane behind the horizon waits for nobody")
    func behindHorizon() {
        var plan = plan
        let held = [plan.holds(first, at: at(2)), plan.holds(second, at: at(11))]
        #expect(held == [false, false] && !plan.isInHand(second))
    }

    @Test("It ends when the horizon is read and nobody waits")
    func end() {
        var plan = plan
        _ = plan.holds(first, at: at(2))
        let whileInHand = plan.endIfThrough(cursor: at(10))
        let next = plan.finish(first)
        let beforeHorizon = plan.endIfThrough(cursor: at(9))
        let atHorizon = plan.endIfThrough(cursor: at(10))
        #expect(next == nil)
        #expect([whileInHand, beforeHorizon, atHorizon] == [false, false, true] && !plan.isReplaying)
        let isHeld = plan.holds(second, at: at(3))
        #expect(!isHeld)
    }

    @Test("A turn is passed to the first lane that can use it, and comes back")
    func passing() {
        var plan = plan
        for (number, lane) in [first, second, third].enumerated() { _ = plan.holds(lane, at: at(UInt64(2 + number))) }
        let byWhoHasItNot = plan.pass(from: second, to: { _ in true })
        let toNobody = plan.pass(from: first, to: { _ in false })
        #expect(byWhoHasItNot == nil && toNobody == nil && plan.isInHand(first))
        let toThird = plan.pass(from: first, to: { $0 == third })
        let turns = [plan.finish(third), plan.finish(second)]
        #expect(toThird == third && turns == [second, first])
    }
}
