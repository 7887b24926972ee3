import EarshotModel
import TestSupport
import Testing
import WorkerRuntime

@Suite("Partition map")
struct PartitionMapTests {
    private func members(_ count: Int) -> [Incarnation] { (0..<count).map { Incarnation(startingAs: "worker-\($0)") } }

    private func map(_ members: [Incarnation], count: Int) -> [Partition: Incarnation] {
        var map: [Partition: Incarnation] = [:]
        for member in members {
            for partition in PartitionMap.share(of: member, among: Set(members), count: count) {
                #expect(map[partition] == nil, "\(partition) has two owners")
                map[partition] = member
            }
        }
        return map
    }

    @Test(
        "M8: every partition has one owner, and nobody more than P/W, rounded up",
        arguments: [1, 2, 3, 5, 8, 16, 31, 64, 100])
    func bounded(workers: Int) {
        let members = members(workers)
        let map = map(members, count: 64)
        #expect(map.count == 64)
        let bound = (64 + workers - 1) / workers
        for member in members { #expect(map.values.count { $0 == member } <= bound) }
    }

    @Test("The order in which members are named does not matter, and strangers have nothing")
    func order() {
        let members = members(5)
        for member in members {
            let share = PartitionMap.share(of: member, among: Set(members), count: 64)
            #expect(share == PartitionMap.share(of: member, among: Set(members.reversed()), count: 64))
        }
        #expect(PartitionMap.share(of: Incarnation(startingAs: "stranger"), among: Set(members), count: 64).isEmpty)
        #expect(PartitionMap.share(of: members[0], among: [], count: 64).isEmpty)
    }

    @Test("One member more or less moves a small share", arguments: [2, 3, 4, 7, 8, 12])
    func stable(workers: Int) {
        var moved = 0
        let rounds = 10
        for _ in 0..<rounds {
            let all = members(workers + 1)
            let before = map(Array(all.dropLast()), count: 256)
            let after = map(all, count: 256)
            moved += before.count { after[$0.key] != $0.value }
        }
        // What a new member gets must move; the bound on the others' load may move as much again.
        let average = Double(moved) / Double(rounds)
        #expect(average <= 2.2 * 256 / Double(workers + 1))
    }
}
