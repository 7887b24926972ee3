/// Divides the words of a whole utterance among its pieces, each of which was heard for itself, too.
///
/// The words stay those that were heard in one go: a piece out of its context is heard worse, so it only says where the
/// text is divided. The two word sequences are laid side by side with the fewest differences; a word that no piece has
/// goes with the word before it.
package enum TextDivision {
    /// Divides a text.
    ///
    /// - Parameters:
    ///   - whole: What was heard in one go.
    ///   - pieces: What was heard of each piece.
    /// - Returns: A text for each piece, empty for one that has no share; together they are the whole's words.
    package static func divide(_ whole: String, like pieces: [String]) -> [String] {
        let words = whole.split(whereSeparator: \.isWhitespace)
        var heard: [String] = []
        var places: [Int] = []
        for (place, piece) in pieces.enumerated() {
            for word in piece.split(whereSeparator: \.isWhitespace) {
                heard.append(compared(word))
                places.append(place)
            }
        }
        var texts = [String](repeating: "", count: pieces.count)
        guard !heard.isEmpty else {
            if !texts.isEmpty { texts[0] = words.joined(separator: " ") }
            return texts
        }
        let partners = alignment(words.map(compared), heard)
        var place = partners.lazy.compactMap(\.self).first.map { places[$0] } ?? 0
        for (word, partner) in zip(words, partners) {
            if let partner { place = places[partner] }
            texts[place] += texts[place].isEmpty ? String(word) : " \(word)"
        }
        return texts
    }

    /// Case and punctuation depend on the context.
    private static func compared(_ word: some StringProtocol) -> String {
        word.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    /// For each word its partner among the others, in order; `nil` where there is none.
    private static func alignment(_ words: [String], _ others: [String]) -> [Int?] {
        // costs[i][j]: the fewest differences between the words from i on and the others from j on.
        var costs = [[Int]](
            repeating: [Int](repeating: 0, count: others.count + 1), count: words.count + 1)
        for i in stride(from: words.count, through: 0, by: -1) {
            for j in stride(from: others.count, through: 0, by: -1) {
                guard i < words.count, j < others.count else {
                    costs[i][j] = words.count - i + others.count - j
                    continue
                }
                let pair = costs[i + 1][j + 1] + (words[i] == others[j] ? 0 : 1)
                costs[i][j] = min(pair, costs[i + 1][j] + 1, costs[i][j + 1] + 1)
            }
        }
        var partners: [Int?] = []
        var j = 0
        for i in words.indices {
            while j < others.count, costs[i][j] == costs[i][j + 1] + 1,
                costs[i][j] != costs[i + 1][j + 1] + (words[i] == others[j] ? 0 : 1)
            {
                j += 1
            }
            guard j < others.count, costs[i][j] == costs[i + 1][j + 1] + (words[i] == others[j] ? 0 : 1) else {
                partners.append(nil)
                continue
            }
            partners.append(j)
            j += 1
        }
        return partners
    }
}
