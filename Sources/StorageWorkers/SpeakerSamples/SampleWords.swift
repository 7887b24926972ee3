/// The words of a text, to compare what was heard with what is written.
struct SampleWords: Equatable {
    let words: [Substring]

    /// Takes the words without case and punctuation.
    init(_ text: String) {
        words = Substring(text.lowercased()).split { !$0.isLetter && !$0.isNumber && $0 != "'" }
    }

    /// The share of words both have in the same order: 0…1, 1 for the same words.
    func likeness(to other: SampleWords) -> Double {
        guard !words.isEmpty, !other.words.isEmpty else { return 0 }
        return 2 * Double(common(with: other)) / Double(words.count + other.words.count)
    }

    /// The share of these words that the other text has in the same order: 0…1, 1 for a part of it.
    func containment(in other: SampleWords) -> Double {
        words.isEmpty ? 0 : Double(common(with: other)) / Double(words.count)
    }

    private func common(with other: SampleWords) -> Int {
        // The longest common subsequence, a row at a time.
        var row = [Int](repeating: 0, count: other.words.count + 1)
        for word in words {
            var diagonal = 0
            for (index, candidate) in other.words.enumerated() {
                let above = row[index + 1]
                row[index + 1] = word == candidate ? diagonal + 1 : max(above, row[index])
                diagonal = above
            }
        }
        return row[other.words.count]
    }
}
