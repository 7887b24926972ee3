import Logging

/// One log record, ready to become a line.
struct LogRecord {
    var time: UTCTimestamp
    var level: Logger.Level
    var label: String
    var message: String
    var role: String
    var node: String
    var metadata: Logger.Metadata

    /// Longest line; a longer one is cut, because it would be a payload and not a message.
    static let bytesMaximum = 16 * 1024

    /// The line with its newline.
    func line(_ format: LogFormat) -> [UInt8] {
        var line = format == .json ? json : text
        if line.utf8.count >= Self.bytesMaximum {
            // A cut JSON object would not parse, so what is cut there is the message and the metadata.
            line = format == .json ? shortened.json : String(line.unicodeScalars.prefix(Self.bytesMaximum / 4)) + "…"
        }
        return Array(line.utf8) + [UInt8(ascii: "\n")]
    }

    /// `TIME LEVEL LABEL: MESSAGE role=… node=… key=value …`, keys sorted, one line whatever the values contain.
    private var text: String {
        var line = "\(time) \(level.rawValue.uppercased()) \(label): \(message.onOneLine)"
        line += " role=\(role.asLogValue) node=\(node.asLogValue)"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(key.onOneLine)=\("\(value)".asLogValue)"
        }
        return line
    }

    private var json: String {
        var line = #"{"time":"\#(time)","level":"\#(level.rawValue)","label":\#(label.asJSON)"#
        line += #","message":\#(message.asJSON),"role":\#(role.asJSON),"node":\#(node.asJSON)"#
        if !metadata.isEmpty { line += #","metadata":\#(Self.json(metadata))"# }
        return line + "}"
    }

    private var shortened: LogRecord {
        var copy = self
        copy.message = String(message.unicodeScalars.prefix(1024)) + "…"
        copy.metadata = ["truncated": "true"]
        return copy
    }

    private static func json(_ metadata: Logger.Metadata) -> String {
        let members = metadata.sorted { $0.key < $1.key }.map { "\($0.key.asJSON):\(json($0.value))" }
        return "{\(members.joined(separator: ","))}"
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): text.asJSON
        case .stringConvertible(let value): value.description.asJSON
        case .array(let values): "[\(values.map(json).joined(separator: ","))]"
        case .dictionary(let members): json(members)
        @unknown default: "\(value)".asJSON
        }
    }
}

extension String {
    /// Control characters spelled out, so that a value cannot start a line of its own or move a terminal's cursor.
    fileprivate var onOneLine: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        return unicodeScalars.map { $0.isControl ? $0.escaped(asASCII: true) : String($0) }.joined()
    }

    /// Bare when that is unambiguous, in quotes otherwise.
    fileprivate var asLogValue: String {
        let isPlain = !isEmpty && unicodeScalars.allSatisfy { !$0.isControl && $0 != " " && $0 != "\"" && $0 != "=" }
        guard !isPlain else { return self }
        let inner = unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            default: scalar.isControl ? scalar.escaped(asASCII: true) : String(scalar)
            }
        }
        return "\"\(inner.joined())\""
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool {
        value < 0x20 || (0x7F...0x9F).contains(value) || value == 0x2028 || value == 0x2029
    }
}
