import Testing

@testable import EarshotCommands

@Suite("The pause before a restart")
struct RestartBackoffTests {
    @Test("doubles from 0.2 s to 5 s while the child dies young")
    func growth() {
        var backoff = RestartBackoff()
        let pauses = (0..<7).map { _ in backoff.pause(afterLifetime: .seconds(1)) }
        let milliseconds = [200, 400, 800, 1_600, 3_200, 5_000, 5_000]
        #expect(pauses == milliseconds.map { .milliseconds($0) })
    }

    @Test("is the shortest again after a life of 10 s, and not after a shorter one")
    func recovery() {
        var backoff = RestartBackoff()
        for _ in 0..<5 { _ = backoff.pause(afterLifetime: .zero) }
        #expect(backoff.pause(afterLifetime: .milliseconds(9_999)) == .seconds(5))
        #expect(backoff.pause(afterLifetime: .seconds(10)) == .milliseconds(200))
        #expect(backoff.pause(afterLifetime: .zero) == .milliseconds(400))
    }
}
