import ChaosHarness
import EarshotModel
import Testing

@Suite struct SessionChainsTests {
    private let ids = (1...5).map { SessionID.new(at: Int64($0) * 1_000_000) }

    private func event(
        _ type: SessionEvent.Kind, _ index: Int, _ change: (inout SessionEvent) -> Void
    ) -> SessionEvent {
        var event = SessionEvent(
            type: type, group: "test", uid: "alice", session: ids[index], conversation: "c", time: 0, ordinal: 0)
        change(&event)
        return event
    }

    private func started(_ index: Int, behind predecessor: Int?) -> SessionEvent {
        event(.sessionStarted, index) { $0.predecessor = predecessor.map { ids[$0].description } }
    }

    private func ended(_ index: Int, frames: UInt64, lost: UInt64? = nil) -> SessionEvent {
        event(.sessionEnded, index) {
            $0.frames = frames
            $0.lostFrames = lost
        }
    }

    private func names(_ indices: Int...) -> [String] { indices.map { ids[$0].description } }

    @Test("A chain has the sessions in between, of which the device never heard, and behind the last it knows of")
    func order() {
        // In any order: 0 ← 1 ← 2 ← 3, and 4 alone.
        let chains = SessionChains([
            started(3, behind: 2), started(1, behind: 0), started(0, behind: nil), started(4, behind: nil),
            started(2, behind: 1),
        ])
        #expect(chains.sessions(with: names(4, 0, 2)) == names(4, 0, 1, 2, 3))
        #expect(chains.sessions(with: names(4)) == names(4))
        #expect(chains.forks.isEmpty)
    }

    @Test("A session begins behind what those before it had and lost")
    func first() {
        let chains = SessionChains([
            started(0, behind: nil), started(1, behind: 0), started(2, behind: 1), ended(0, frames: 50),
            ended(1, frames: 10, lost: 5), ended(2, frames: 7),
        ])
        #expect(names(0, 1, 2, 3).map(chains.first(of:)) == [0, 55, 65, 0])
    }

    @Test("Two sessions that continue the same one are told")
    func forks() {
        let chains = SessionChains([started(1, behind: 0), started(2, behind: 0), started(1, behind: 0)])
        #expect(chains.forks == names(0))
    }
}
