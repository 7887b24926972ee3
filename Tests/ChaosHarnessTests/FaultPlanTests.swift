import ChaosHarness
import Testing

@Suite struct FaultPlanTests {
    private let cast = FaultPlan.Cast(
        roles: ["gateway": 2, "transcript": 2, "coordinator": 2, "private-cloud": 1, "webhook": 1], devices: 50)

    private func plan(_ seed: UInt64, count: Int = 400) -> FaultPlan {
        FaultPlan(seed: seed, seconds: 600, count: count, cast: cast)
    }

    @Test("The same seed gives the same faults, another one others")
    func replay() {
        #expect(plan(7) == plan(7))
        #expect(plan(7).faults != plan(8).faults)
    }

    @Test("Faults come in order within the time, and hit every kind of process and link in every way")
    func coverage() {
        let faults = plan(1).faults
        #expect(faults.count == 400)
        #expect(faults.map(\.at) == faults.map(\.at).sorted())
        #expect(faults.allSatisfy { (0..<600).contains($0.at) })
        let targets = Set(faults.map { String($0.target.prefix { $0 != "-" }) })
        #expect(
            targets == ["gateway", "transcript", "coordinator", "private", "webhook", "redis", "postgres", "device"])
        #expect(Set(faults.map(\.kind)) == Set(Fault.Kind.allCases))
        #expect(Set(faults.compactMap(\.link)) == ["redis", "postgres", "gateway"])
    }

    @Test("A stopped process is stopped for longer than a lease")
    func stops() {
        let stops = plan(2).faults.filter { $0.kind == .stop }
        #expect(!stops.isEmpty)
        #expect(stops.allSatisfy { FaultPlan.stopSeconds.contains($0.duration) })
    }

    @Test("Only those that talk to Postgres lose it")
    func links() {
        let cut = plan(3).faults.filter { $0.link == "postgres" && $0.target != "postgres" }
        #expect(!cut.isEmpty)
        #expect(cut.allSatisfy { $0.target.hasPrefix("coordinator") || $0.target.hasPrefix("webhook") })
    }

    @Test("Each role is killed as often as was asked, in order, within the time")
    func kills() {
        let plan = FaultPlan(seed: 4, seconds: 300, killsOfEach: 20, roles: cast.roles)
        #expect(plan == FaultPlan(seed: 4, seconds: 300, killsOfEach: 20, roles: cast.roles))
        #expect(plan.faults.map(\.at) == plan.faults.map(\.at).sorted())
        #expect(plan.faults.allSatisfy { $0.kind == .kill && (0..<300).contains($0.at) })
        for role in cast.roles.keys { #expect(plan.faults.count { $0.target.hasPrefix(role) } == 20) }
    }
}
