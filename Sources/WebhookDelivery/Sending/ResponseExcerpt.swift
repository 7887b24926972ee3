/// The first characters of an answer, as the log of attempts keeps them.
enum ResponseExcerpt {
    /// Shorter texts cannot be told from ordinary words, and are no secrets.
    private static let secretCharactersMinimum = 4

    /// Text without control characters and without what a receiver may have echoed of its request.
    ///
    /// - Returns: `nil` for an empty body.
    static func text(
        of body: [UInt8], withholding withheld: @autoclosure () -> [String], charactersMaximum: Int
    ) -> String? {
        guard !body.isEmpty else { return nil }
        // Most answers say nothing, or `ok`.
        let secrets = body.count < secretCharactersMinimum ? [] : withheld()
        // A secret that begins before the cut must be seen whole.
        let longest = secrets.map(\.utf8.count).max() ?? 0
        var text = String(decoding: body.prefix(charactersMaximum * 4 + longest), as: UTF8.self)
        for secret in secrets where secret.count >= secretCharactersMinimum {
            text = text.replacing(secret, with: "[withheld]")
        }
        let scalars = text.prefix(charactersMaximum).unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : scalar
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
