extension Settings {
    /// A text that must be set.
    ///
    /// - Parameters:
    ///   - key: The dotted key.
    ///   - meaning: What belongs there, for the message.
    /// - Returns: Its trimmed value.
    /// - Throws: `SettingsError` when it is not set.
    package func requiredString(_ key: String, meaning: String) throws(SettingsError) -> String {
        guard let text = text(key) else {
            throw error(key, problem: "is not set", allowed: meaning)
        }
        return text
    }

    /// A text, or what it is when it is not set.
    package func string(_ key: String, default defaultValue: String) -> String {
        text(key) ?? defaultValue
    }

    /// A whole number in a range.
    package func int(
        _ key: String, in range: ClosedRange<Int>, default defaultValue: Int
    ) throws(SettingsError) -> Int {
        guard let text = text(key) else { return defaultValue }
        let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let number = Int(text) else {
            throw error(key, problem: "\(text.quoted) is not a whole number", allowed: allowed)
        }
        guard range.contains(number) else {
            throw error(key, problem: "\(number) is out of range", allowed: allowed)
        }
        return number
    }

    /// A switch: `true`, `yes`, `on`, `1`, or `false`, `no`, `off`, `0`.
    package func bool(_ key: String, default defaultValue: Bool) throws(SettingsError) -> Bool {
        guard let text = text(key) else { return defaultValue }
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw error(key, problem: "\(text.quoted) is not a switch", allowed: "true or false")
        }
    }

    /// A length of time with its unit, such as `250ms`, `30s`, `5m`, `2h`.
    package func duration(
        _ key: String, in range: ClosedRange<Duration>, default defaultValue: Duration
    ) throws(SettingsError) -> Duration {
        guard let text = text(key) else { return defaultValue }
        let allowed = "a whole number with its unit (ms, s, m, h), from \(range.lowerBound) to \(range.upperBound)"
        guard let duration = Duration(setting: text) else {
            throw error(key, problem: "\(text.quoted) is not a length of time", allowed: allowed)
        }
        guard range.contains(duration) else {
            throw error(key, problem: "\(text) is out of range", allowed: allowed)
        }
        return duration
    }

    /// A host and a port.
    package func endpoint(
        _ key: String, default defaultValue: SocketEndpoint
    ) throws(SettingsError) -> SocketEndpoint {
        guard let text = text(key) else { return defaultValue }
        guard let endpoint = SocketEndpoint(parsing: text) else {
            throw error(key, problem: "\(text.quoted) is not a host and a port", allowed: SocketEndpoint.rule)
        }
        return endpoint
    }

    /// Values separated by commas, trimmed, without empty ones.
    ///
    /// - Throws: `SettingsError` when there are more than `maximum`.
    package func list(
        _ key: String, maximum: Int = 100, default defaultValue: [String] = []
    ) throws(SettingsError) -> [String] {
        guard let text = text(key) else { return defaultValue }
        let values = text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
        guard values.count <= maximum else {
            throw error(
                key, problem: "has \(values.count) values", allowed: "up to \(maximum) values separated by commas")
        }
        return values
    }

    /// One of the names of a closed set.
    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, default defaultValue: Choice
    ) throws(SettingsError) -> Choice where Choice.RawValue == String {
        guard let text = text(key) else { return defaultValue }
        guard let choice = Choice(rawValue: text.lowercased()) else {
            throw error(
                key, problem: "\(text.quoted) is unknown",
                allowed: Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    /// A value that is never shown; nil when it is not set.
    package func secret(_ key: String, minimumBytes: Int = 1) throws(SettingsError) -> Secret? {
        guard let text = secretText(key) else { return nil }
        guard text.utf8.count >= minimumBytes else {
            throw error(
                key, problem: "the secret has \(text.utf8.count) bytes",
                allowed: "at least \(minimumBytes) bytes, for instance from `openssl rand -hex \(minimumBytes)`")
        }
        return Secret(text)
    }

    /// A URL with one of the schemes and a host; secret, because it may carry a password.
    package func url(
        _ key: String, schemes: [String], default defaultValue: String
    ) throws(SettingsError) -> Secret {
        let text = secretText(key) ?? defaultValue
        let allowed = schemes.map { "\($0)://HOST…" }.joined(separator: " or ")
        guard let separator = text.firstRange(of: "://") else {
            throw error(key, problem: "is not a URL", allowed: allowed)
        }
        guard schemes.contains(text[..<separator.lowerBound].lowercased()) else {
            throw error(key, problem: "has the wrong scheme", allowed: allowed)
        }
        let authority = text[separator.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let hostAndPort = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        guard let first = hostAndPort.first, first != ":" else {
            throw error(key, problem: "names no host", allowed: allowed)
        }
        return Secret(text)
    }
}

extension Duration {
    /// Reads a whole number and its unit.
    fileprivate init?(setting text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number <= 1_000_000_000 else { return nil }
        switch text[digits.endIndex...].lowercased().trimmed {
        case "ms": self = .milliseconds(number)
        case "s": self = .seconds(number)
        case "m": self = .seconds(number * 60)
        case "h": self = .seconds(number * 3600)
        default: return nil
        }
    }
}

extension String {
    /// In quotes and cut, for an error message that shows a value.
    fileprivate var quoted: String {
        count > 60 ? (prefix(60) + "…").debugDescription : debugDescription
    }
}
