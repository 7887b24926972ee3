import Testing

@Suite("Protocol model: parts")
struct PartUploadTests {
    /// Every state that can be reached.
    private func states(commitsBoundsFirst: Bool) -> Set<PartUpload> {
        var seen: Set<PartUpload> = []
        var open = [PartUpload(commitsBoundsFirst: commitsBoundsFirst, frames: 3)]
        while let state = open.popLast() {
            guard seen.insert(state).inserted else { continue }
            open += state.successors
        }
        return seen
    }

    @Test("C3: in every order of two workers the event names an object that holds what it says")
    func bounds() {
        let states = states(commitsBoundsFirst: true)
        #expect(states.count > 100)
        #expect(!states.contains { !$0.isSound })
        #expect(states.contains { $0.stored != nil })
    }

    @Test("C3: without bounds committed first a woken upload overwrites what was reported")
    func overwritten() {
        #expect(states(commitsBoundsFirst: false).contains { !$0.isSound })
    }
}
