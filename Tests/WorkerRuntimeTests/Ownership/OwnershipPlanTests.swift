import AudioStreams
import EarshotModel
import Testing
import WorkerRuntime

@Suite("Ownership plan")
struct OwnershipPlanTests {
    private let start = ContinuousClock.now
    private let limits = Limits()
    private let me = Incarnation(startingAs: "me")
    private let other = Incarnation(startingAs: "other")

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("Who is alone has everything at once, and shares when the other is mature")
    func maturity() {
        var plan = OwnershipPlan(member: me, partitions: 8, limits: limits)
        plan.sawMembers([me.description: 1], at: at(0))
        #expect(plan.share.count == 8)
        plan.sawMembers([me.description: 9, other.description: 1], at: at(9))
        #expect(plan.share.count == 8)
        plan.sawMembers([me.description: 14, other.description: 5], at: at(14))
        #expect(plan.share.count == 4 && plan.countingMembers == [me, other])
    }

    @Test("A member that stopped beating does not count any more; one that left neither")
    func lapsedMember() {
        var plan = OwnershipPlan(member: me, partitions: 8, limits: limits)
        for second in 0..<10 {
            plan.sawMembers([me.description: Int64(second), other.description: Int64(second)], at: at(second))
        }
        #expect(plan.share.count == 4)
        plan.sawMembers([me.description: 20, other.description: 9], at: at(11))
        #expect(plan.share.count == 4)
        plan.sawMembers([me.description: 21, other.description: 9], at: at(12))
        #expect(plan.share.count == 8)
        plan.sawMembers([me.description: 22, other.description: 10], at: at(13))
        #expect(plan.share.count == 4)
        plan.sawMembers([me.description: 23], at: at(14))
        #expect(plan.share.count == 8)
    }

    @Test("Free, released and own leases are taken at once, others when they have lapsed")
    func leases() {
        var plan = OwnershipPlan(member: me, partitions: 8, limits: limits)
        func sighting(_ owner: Incarnation, _ beat: Int64, isReleased: Bool = false) -> Lease.Sighting {
            Lease.Sighting(
                token: FencingToken("1:x"), beat: beat, owner: owner.description, isReleased: isReleased)
        }
        let wanted = Set((0..<4).map { Partition($0) })
        var seen = [
            Partition(1): sighting(other, 1, isReleased: true), Partition(2): sighting(me, 1),
            Partition(3): sighting(other, 1),
        ]
        let first = plan.sawLeases(seen, wanted: wanted, at: at(0))
        #expect(first.map(\.partition) == [Partition(0), Partition(1), Partition(2)])
        #expect(first.allSatisfy { $0.lapsed == nil && $0.owner == me })
        seen[Partition(3)] = sighting(other, 2)
        #expect(plan.sawLeases(seen, wanted: [Partition(3)], at: at(2)).isEmpty)
        #expect(plan.sawLeases(seen, wanted: [Partition(3)], at: at(4)).isEmpty)
        plan.contactLost(at: at(4))
        #expect(plan.sawLeases(seen, wanted: [Partition(3)], at: at(5)).isEmpty)
        let lapsed = plan.sawLeases(seen, wanted: [Partition(3)], at: at(7))
        #expect(lapsed.map(\.lapsed) == [sighting(other, 2)])
    }
}
