/// How the words of a text, and those of each of its beginnings, go with the words of another one.
struct WordAlignment {
    /// What differs.
    struct Differences {
        /// Words of the text, or of its beginning.
        var words: Int
        /// Those that are missing, more, or others.
        var errors: Int
        /// The most in a row that are missing, and that are more; a word in place of another is neither.
        var missing = 0
        var extra = 0
    }

    private let words: [String]
    let others: [String]
    /// The edit distances, by words of the text and words of the other.
    private let distances: [[Int]]

    /// Aligns words with others.
    init(_ words: [String], _ others: [String]) {
        var distances = [Array(0...others.count)]
        for (index, word) in words.enumerated() {
            let above = distances[index]
            var row = [index + 1]
            for column in others.indices {
                let replaced = above[column] + (word == others[column] ? 0 : 1)
                row.append(min(replaced, above[column + 1] + 1, row[column] + 1))
            }
            distances.append(row)
        }
        self.words = words
        self.others = others
        self.distances = distances
    }

    /// Compares the first so many words.
    func differences(inFirst count: Int) -> Differences {
        var (row, column) = (count, others.count)
        var found = Differences(words: count, errors: distances[row][column])
        var (missing, extra) = (0, 0)
        while row > 0 || column > 0 {
            if row > 0, column > 0, isStep(row, column) {
                (row, column, missing, extra) = (row - 1, column - 1, 0, 0)
            } else if row > 0, distances[row - 1][column] + 1 == distances[row][column] {
                (row, missing, extra) = (row - 1, missing + 1, 0)
            } else {
                (column, missing, extra) = (column - 1, 0, extra + 1)
            }
            (found.missing, found.extra) = (max(found.missing, missing), max(found.extra, extra))
        }
        return found
    }

    /// Whether a best alignment has these two words beside each other.
    private func isStep(_ row: Int, _ column: Int) -> Bool {
        let cost = words[row - 1] == others[column - 1] ? 0 : 1
        return distances[row - 1][column - 1] + cost == distances[row][column]
    }
}
