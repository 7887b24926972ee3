import ChaosHarness
import Testing

@Suite struct RunRequirementsTests {
    @Test("A run without a device of each kind is refused with the least number")
    func devices() {
        #expect(RunRequirements.problem(devices: 3) == nil)
        #expect(RunRequirements.problem(devices: 2)?.contains("at least 3") == true)
    }

    @Test("A fleet without a gateway is refused")
    func workers() {
        for list in [nil, "transcript=3", "gateway=2,transcript=2"] {
            #expect(RunRequirements.problem(workers: list) == nil)
        }
        for list in ["gateway=0", "transcript=2,gateway=0", "gateway=", "gateway=-1", "gateway"] {
            #expect(RunRequirements.problem(workers: list)?.contains("at least gateway=1") == true)
        }
    }

    @Test("All of a small crowd have storage and webhooks, of a larger one every tenth")
    func crowd() {
        #expect(Crowd.served(of: 50) == Array(0..<50))
        #expect(Crowd.served(of: 2_000).count == 200)
        #expect(Crowd.served(of: 101).first == 0)
    }
}
