/// A progress bar; pure text, so that it can be tested.
enum ConsoleProgress {
    /// Draws the bar into one line.
    ///
    /// - Parameters:
    ///   - fraction: How much is done, 0 to 1.
    ///   - label: What stands behind the bar.
    ///   - columns: The terminal's width, which the line never reaches: a full line would wrap.
    /// - Returns: The line, without its end.
    static func bar(fraction: Double, label: String, columns: Int) -> String {
        let available = max(0, columns - 1)
        let text = String(label.prefix(max(0, available - barColumnsMinimum - 3)))
        let width = min(barColumnsMaximum, available - text.count - 3)
        guard width >= barColumnsMinimum else { return String(label.prefix(available)) }
        let share = fraction.isNaN ? 0 : min(max(fraction, 0), 1)
        let full = Int((share * Double(width)).rounded(.down))
        return "[" + String(repeating: "█", count: full) + String(repeating: "·", count: width - full) + "] " + text
    }

    /// Keeps the end of a text that is too long for a line: the newest words are there.
    static func tail(_ text: String, columns: Int) -> String {
        let available = max(1, columns - 1)
        return text.count <= available ? text : "…" + text.suffix(available - 1)
    }

    private static let barColumnsMinimum = 5
    private static let barColumnsMaximum = 40
}
