/// A Prometheus text, to be asked for sums.
struct Metrics: Sendable {
    private let lines: [Substring]

    init(_ text: String) { lines = text.split(separator: "\n") }

    /// The least of a metric's samples; zero when there is none.
    func minimum(_ name: String) -> Double {
        lines.filter { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.min() ?? 0
    }

    /// The open lanes of a group's workers.
    func lanes(of group: String) -> Double { sum("earshot_worker_lanes", "group=\"\(group)\"") }

    /// The sum of a metric's samples whose labels contain all of some texts, such as `group="transcript"`.
    func sum(_ name: String, _ labels: String...) -> Double {
        lines.reduce(0) { sum, line in
            guard line.hasPrefix(name), let after = line.dropFirst(name.count).first, after == "{" || after == " ",
                labels.allSatisfy({ line.contains($0) }), let space = line.lastIndex(of: " ")
            else { return sum }
            return sum + (Double(line[line.index(after: space)...]) ?? 0)
        }
    }
}
