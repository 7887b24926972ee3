import ChaosHarness
import Testing

@Suite struct FaultTallyTests {
    private func tally(planned: Int, effects: Int) -> FaultTally {
        var tally = FaultTally(planned: planned)
        let fault = Fault(at: 1, kind: .kill, target: "gateway-0", link: nil, duration: 0)
        tally.effects = Array(repeating: FaultEffect(fault, began: 1, ended: 1), count: effects)
        tally.skipped = [.gone: planned - effects]
        return tally
    }

    @Test("Six of ten planned faults have to take effect; skipped ones are none")
    func minimum() {
        #expect(tally(planned: 100, effects: 60).violation == nil)
        #expect(tally(planned: 100, effects: 59).violation == "59 of 100 faults took effect, fewer than 60 %")
        #expect(tally(planned: 1, effects: 0).violation != nil)
        #expect(tally(planned: 0, effects: 0).violation == nil)
    }
}
