import ChaosHarness
import Testing

@Suite struct FaultPlanTests {
    private let cast = FaultPlan.Cast(roles: ["gateway": 2, "transcript": 2, "coordinator": 2], devices: 50)

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
        #expect(targets == ["gateway", "transcript", "coordinator", "redis", "postgres", "device"])
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
        #expect(cut.allSatisfy { $0.target.hasPrefix("coordinator") })
    }
}
