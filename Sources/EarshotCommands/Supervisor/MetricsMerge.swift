/// Joins the metrics of several processes into one text (Prometheus text format 0.0.4).
///
/// Every sample gets labels that say whose it is; each name has one `# HELP` and one `# TYPE` line, the first seen.
struct MetricsMerge {
    private struct Family {
        var help: Substring?
        var type: Substring?
        var samples: [String] = []
    }

    private static let suffixes = ["_bucket", "_sum", "_count"]

    private var families: [Substring: Family] = [:]

    /// Adds a process' text.
    ///
    /// - Parameters:
    ///   - text: What its `/metrics` answered.
    ///   - role: The value of the label `role` on all its samples.
    ///   - node: The value of the label `node`.
    mutating func add(_ text: String, role: String, node: String) {
        let labels = #"role="\#(role)",node="\#(node)""#
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") {
                addComment(line)
            } else {
                addSample(line, labels: labels)
            }
        }
    }

    /// Everything added, sorted by name.
    var rendered: String {
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            if let help = family.help { text += "# HELP \(name) \(help)\n" }
            if let type = family.type { text += "# TYPE \(name) \(type)\n" }
            for sample in family.samples { text += sample + "\n" }
        }
        return text
    }

    private mutating func addComment(_ line: Substring) {
        let parts = line.split(separator: " ", maxSplits: 3)
        guard parts.count == 4, parts[0] == "#" else { return }
        switch parts[1] {
        case "HELP": if families[parts[2]]?.help == nil { families[parts[2], default: Family()].help = parts[3] }
        case "TYPE": if families[parts[2]]?.type == nil { families[parts[2], default: Family()].type = parts[3] }
        default: break
        }
    }

    private mutating func addSample(_ line: Substring, labels: String) {
        guard let end = line.firstIndex(where: { $0 == "{" || $0 == " " }), end != line.startIndex else { return }
        let name = line[..<end]
        let rest: String
        if line[end] == "{" {
            let own = line[line.index(after: end)...]
            let separator = own.hasPrefix("}") ? "" : ","
            rest = "{" + labels + separator + Self.renamed(own)
        } else {
            rest = "{" + labels + "}" + line[end...]
        }
        families[family(of: name), default: Family()].samples.append(name + rest)
    }

    /// A histogram's samples have names of their own.
    private func family(of name: Substring) -> Substring {
        if families[name] != nil { return name }
        for suffix in Self.suffixes where name.hasSuffix(suffix) {
            let base = name.dropLast(suffix.count)
            if families[base] != nil { return base }
        }
        return name
    }

    /// Keeps a process' own labels of the same names apart, as Prometheus does it.
    private static func renamed(_ labels: Substring) -> String {
        var text = ""
        var isQuoted = false
        var isEscaped = false
        var isAtName = true
        var rest = labels
        while let character = rest.first {
            if isAtName, rest.hasPrefix("role=") || rest.hasPrefix("node=") { text += "exported_" }
            isAtName = !isQuoted && character == ","
            if isQuoted, !isEscaped, character == "\\" {
                isEscaped = true
            } else {
                if character == "\"", !isEscaped { isQuoted.toggle() }
                isEscaped = false
            }
            text.append(character)
            rest = rest.dropFirst()
        }
        return text
    }
}
