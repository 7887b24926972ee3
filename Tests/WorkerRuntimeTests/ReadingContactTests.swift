import EarshotModel
import Testing
import WorkerRuntime

@Suite struct ReadingContactTests {
    private let start = ContinuousClock.now
    private let limits = Limits()

    private func contact(answeredAt seconds: [Double]) -> ReadingContact {
        let contact = ReadingContact(limits: limits, at: start)
        for second in seconds { contact.answered(at: start + .seconds(second)) }
        return contact
    }

    @Test("Quiet is what was seen: up to the last answer, not up to now")
    func seen() {
        #expect(contact(answeredAt: []).quiet(since: start) == .zero)
        #expect(contact(answeredAt: [1, 2, 3]).quiet(since: start + .seconds(1)) == .seconds(2))
        #expect(contact(answeredAt: [1]).quiet(since: start + .seconds(2)) == .zero)
    }

    @Test("An answer after silence begins anew once gateways may be back, as does one after a failure")
    func broken() {
        #expect(limits.gatewayReturn == .seconds(5))
        #expect(contact(answeredAt: [1, 11, 12, 13]).quiet(since: start) == .zero)
        #expect(contact(answeredAt: [1] + (11...17).map(Double.init)).quiet(since: start) == .seconds(1))
        let failed = contact(answeredAt: [1, 2])
        failed.broke()
        #expect(failed.quiet(since: start) == .seconds(2), "a failure says nothing of what was seen before")
        failed.answered(at: start + .seconds(3))
        #expect(failed.quiet(since: start) == .zero)
        for second in 4...8 { failed.answered(at: start + .seconds(second)) }
        #expect(failed.quiet(since: start) == .zero)
        failed.answered(at: start + .seconds(9))
        #expect(failed.quiet(since: start) == .seconds(1))
    }
}
