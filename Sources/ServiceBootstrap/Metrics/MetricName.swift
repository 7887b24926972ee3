/// Maps swift-metrics labels and dimensions to names that Prometheus accepts.
enum MetricName {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`: dots and dashes become underscores, and so does anything else.
    static func metric(_ label: String, prefix: String, suffix: String) -> String {
        var name = mapped(label, allowingColon: true)
        if !prefix.isEmpty, !name.hasPrefix(prefix + "_") { name = "\(prefix)_\(name)" }
        if !suffix.isEmpty, !name.hasSuffix("_" + suffix) { name += "_\(suffix)" }
        return name
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, without the names Prometheus keeps for itself.
    static func label(_ name: String) -> String {
        let mapped = mapped(name, allowingColon: false)
        return mapped == "le" || mapped == "quantile" || mapped.hasPrefix("__") ? "label_\(mapped)" : mapped
    }

    /// The value between quotes in the text format, cut where it would be a payload.
    static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars.prefix(valueScalarsMaximum) {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// Labels are closed sets of short words; what is longer is a mistake, and is cut.
    static let valueScalarsMaximum = 128

    private static func mapped(_ text: String, allowingColon: Bool) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": name.unicodeScalars.append(scalar)
            case "0"..."9":
                if name.isEmpty { name = "_" }
                name.unicodeScalars.append(scalar)
            case ":" where allowingColon: name.unicodeScalars.append(scalar)
            default: name += "_"
            }
        }
        return name.isEmpty ? "_" : name
    }
}
