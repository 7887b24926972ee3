/// Word errors of a text against what was said: substitutions, insertions and deletions.
struct WordErrors {
    private(set) var errors = 0
    private(set) var words = 0

    /// Errors for each word said.
    var rate: Double { Double(errors) / Double(max(words, 1)) }

    mutating func add(said: String, heard: String) {
        let said = Self.normalized(said)
        errors += Self.distance(said, Self.normalized(heard))
        words += said.count
    }

    static func normalized(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "'" }.map { $0 == "mr" ? "mister" : String($0) }
    }

    static func distance(_ left: [String], _ right: [String]) -> Int {
        var row = Array(0...right.count)
        for (i, word) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let cost = min(row[j] + 1, row[j + 1] + 1, diagonal + (word == other ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = cost
            }
        }
        return row[right.count]
    }
}
