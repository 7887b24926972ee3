import ChaosHarness
import Testing

@Suite struct UtterancesTests {
    private let recording = Utterances([
        .init("The first of five.", 1, 4), .init("Then comes another one.", 6, 9),
        .init("And that was the last.", 11, 14),
    ])

    private var texts: [String] { recording.segments.map(\.text) }

    private func isWrong(_ heard: [String], _ circumstances: Utterances.Circumstances) -> Bool {
        guard case .wrong = recording.compare(heard, circumstances) else { return false }
        return true
    }

    @Test("Undisturbed, the texts are the same one by one")
    func identical() {
        #expect(recording.compare(texts, .init(isStalled: false)) == .identical)
        #expect(isWrong(["The first of four."] + texts.dropFirst(), .init(isStalled: false)))
        #expect(isWrong(Array(texts.dropLast()), .init(isStalled: false)))
    }

    @Test("After a stall a third of the words may differ, and no more")
    func stalled() {
        // 13 words, of which 4 may be others.
        let cut = ["The first", "of five.", "Then comes an other one.", "And that was the last."]
        #expect(recording.compare(cut, .init(isStalled: true)) == .differs(2.0 / 13))
        #expect(isWrong(Array(texts.dropLast()), .init(isStalled: true)))
        #expect(isWrong([], .init(isStalled: true)))
        #expect(isWrong(texts + texts, .init(isStalled: true)))
    }

    @Test("A session that was cut says all that its audio has, and nothing behind it")
    func cut() {
        let some = Utterances.Circumstances(covered: 7, isStalled: false)
        #expect(recording.compare(["The first of five.", "Then"], some) == .identical)
        #expect(isWrong([], some))
        #expect(isWrong(["The first of four.", "Then"], some))
        #expect(isWrong(["The first of five.", "Then", "comes"], some))
        #expect(isWrong(["The first of five.", "And that was the last of all."], some))
    }

    @Test("A session that was cut behind a stall is compared with the part that its audio has, by words")
    func stalledCut() {
        let most = Utterances.Circumstances(covered: 11.5, isStalled: true)
        #expect(recording.compare(["The first of", "five. Then comes another one.", "And"], most) == .identical)
        #expect(recording.compare(["The first of five. Then comes an"], most) == .differs(2.0 / 8))
        #expect(isWrong(["The first"], most))
        let little = Utterances.Circumstances(covered: 3, isStalled: true)
        #expect(recording.compare(["The first"], little) == .identical)
        #expect(isWrong(texts, little))
    }

    @Test("Of a chain of many sessions nothing is excused but the words at its cuts")
    func chain() {
        let many = Utterances.Circumstances(isStalled: false, sessions: 5)
        #expect(
            recording.compare(["The first of", "five. Then comes another", "one. And that was", "the last."], many)
                == .identical)
        // 13 words and two cuts beyond the third session: 8 words.
        #expect(isWrong(["The first of five."], many))
    }
}
