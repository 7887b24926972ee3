import Testing

@testable import SpeechRecognition

@Suite("Words of an utterance, divided among its pieces")
struct TextDivisionTests {
    @Test(
        "The words are the whole's, the borders where the pieces' words meet",
        arguments: [
            ("Hello there. Hi, are you?", ["Hello there.", "hi are you"], ["Hello there.", "Hi, are you?"]),
            // Heard differently alone.
            ("I saw the age of wisdom", ["eye saw the", "cage of wisdom"], ["I saw the", "age of wisdom"]),
            // Words that no piece has go with the word before them.
            ("one two three four", ["one", "four"], ["one two three", "four"]),
            ("so one two", ["one", "two"], ["so one", "two"]),
            // Words that only a piece has are nobody's.
            ("one two", ["one and", "and two"], ["one", "two"]),
            ("one two", ["", "one two"], ["", "one two"]),
            ("one two", ["", ""], ["one two", ""]),
            ("", ["one", "two"], ["", ""]),
            ("a b a b", ["a b", "a b"], ["a b", "a b"]),
            ("yes yes yes", ["yes", "yes", "yes"], ["yes", "yes", "yes"]),
        ])
    func divide(whole: String, pieces: [String], expected: [String]) {
        #expect(TextDivision.divide(whole, like: pieces) == expected)
    }

    @Test("No word is lost, doubled or moved, whatever the pieces say")
    func complete() {
        var random = SeededRandom(seed: 7)
        let vocabulary = ["a", "b", "c", "d"]
        for _ in 0..<500 {
            func text() -> String {
                (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in vocabulary.randomElement(using: &random)
                }
                .joined(separator: " ")
            }
            let whole = text()
            let pieces = (0..<Int.random(in: 1...4, using: &random)).map { _ in text() }
            let texts = TextDivision.divide(whole, like: pieces)
            #expect(texts.count == pieces.count)
            #expect(texts.filter { !$0.isEmpty }.joined(separator: " ") == whole)
        }
    }
}
