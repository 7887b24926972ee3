import Testing

@testable import WorkerRuntime

@Suite("Waiting for dependencies")
struct DependencyWaitTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func overdue(_ parts: [DependencyWait], at seconds: Int) -> String? {
        var wait = DependencyWait()
        for part in parts { wait.merge(part) }
        return wait.overdue(after: .seconds(10), at: at(seconds))
    }

    @Test("Nothing that waits is never overdue")
    func idle() {
        #expect(overdue([], at: 1_000) == nil)
        #expect(overdue([DependencyWait(lastAdvanceAt: at(0))], at: 1_000) == nil)
    }

    @Test("The one that waits longest counts, also when others have just begun to")
    func longest() {
        let parts = [DependencyWait(names: ["s"], since: at(9)), DependencyWait(names: ["s"], since: at(0))]
        #expect(overdue(parts, at: 9) == nil)
        #expect(overdue(parts, at: 10) == "s")
    }

    @Test("A lane that gets on puts it off")
    func advance() {
        let parts = [DependencyWait(names: ["s"], since: at(0)), DependencyWait(lastAdvanceAt: at(5))]
        #expect(overdue(parts, at: 14) == nil)
        #expect(overdue(parts, at: 15) == "s")
    }

    @Test("Several dependencies away are not this worker's fault")
    func several() {
        let parts = [DependencyWait(names: ["s"], since: at(0)), DependencyWait(names: ["t"], since: at(0))]
        #expect(overdue(parts, at: 100) == nil)
    }
}
