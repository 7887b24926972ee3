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

    /// Two sentences of ten words.
    private let long = Utterances([
        .init("one two three four five six seven eight nine ten", 1, 5),
        .init("red blue green black white brown pink grey gold lime", 7, 11),
    ])

    @Test("After a stall words may be others, but no sentence may be missing, and none said twice")
    func stalled() {
        let stalled = Utterances.Circumstances(isStalled: true)
        let cut = ["one two three", "for four five six seven eight nine ten", long.segments[1].text]
        #expect(long.compare(cut, stalled) == .differs(1.0 / 21))
        let texts = long.segments.map(\.text)
        func isWrong(_ heard: [String]) -> Bool {
            guard case .wrong = long.compare(heard, stalled) else { return false }
            return true
        }
        #expect(isWrong([]))
        #expect(isWrong([texts[0]]) && isWrong([texts[1]]))
        #expect(isWrong([texts[0]] + texts) && isWrong(texts + [texts[1]]))
        #expect(isWrong(texts.reversed()))
        // Of 20 words 7 may be others, and 11 by the cut.
        let others = Array(repeating: "x", count: 20)
        #expect(!isWrong([(others.prefix(18) + ["gold", "lime"]).joined(separator: " ")]))
        #expect(isWrong([(others.prefix(19) + ["lime"]).joined(separator: " ")]))
    }

    @Test("A session that was cut says all that its audio has, and nothing behind it")
    func cut() {
        let some = Utterances.Circumstances(covered: 7, isStalled: false)
        #expect(recording.compare(["The first of five.", "Then"], some) == .identical)
        #expect(isWrong([], some))
        #expect(isWrong(["The first of four.", "Then"], some))
        #expect(isWrong(["The first of five.", "Then", "comes"], some))
        #expect(isWrong(["The first of five.", "And that was the last of all the things that were said."], some))
    }

    @Test("A session that was cut behind a stall is compared with the part that its audio has, by words")
    func stalledCut() {
        let most = Utterances.Circumstances(covered: 11.5, isStalled: true)
        #expect(recording.compare(["The first of", "five. Then comes another one.", "And"], most) == .identical)
        #expect(recording.compare(["The first of five. Then comes an"], most) == .differs(2.0 / 8))
        let little = Utterances.Circumstances(covered: 5.5, isStalled: true)
        #expect(long.compare(["one two three four five six seven eight nine ten"], little) == .identical)
        guard case .wrong = long.compare(long.segments.map(\.text), little) else {
            Issue.record("what lies behind the audio was taken")
            return
        }
    }

    @Test("Of a chain of many sessions nothing is excused but the words at its cuts")
    func chain() {
        let many = Utterances.Circumstances(isStalled: false, sessions: 5)
        #expect(
            recording.compare(["The first of", "five. Then comes another", "one. And that was", "the last."], many)
                == .identical)
        guard case .wrong = long.compare([long.segments[1].text], many) else {
            Issue.record("a sentence may not be missing")
            return
        }
    }
}
