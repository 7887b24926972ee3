package import Configuration
import FoundationEssentials

/// The settings of a process, read from environment variables called `EARSHOT_…`.
///
/// A key is dotted and lower case; `redis.url` is read from `EARSHOT_REDIS_URL`. Values given on a command line come
/// first. A value that is empty or blank counts as not set, because that is how compose files and charts write it.
/// Every reading method checks, and throws a `SettingsError` that names the variable; call them all at the start.
package struct Settings: Sendable {
    private let reader: ConfigReader

    /// Reads from any provider; its keys are looked up below `earshot`.
    package init(reader: ConfigReader) {
        self.reader = reader.scoped(to: "earshot")
    }

    /// Reads the process' environment.
    ///
    /// - Parameters:
    ///   - flags: Values by dotted key that win over the environment: what stood on the command line.
    ///   - environment: The variables; those of the process, unless a test says otherwise.
    package init(
        overriding flags: [String: String] = [:],
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        let flagValues = flags.map { key, value in
            (AbsoluteConfigKey(ConfigKey("earshot.\(key)")), ConfigValue(.string(value), isSecret: false))
        }
        self.init(
            reader: ConfigReader(providers: [
                InMemoryProvider(name: "flags", values: Dictionary(uniqueKeysWithValues: flagValues)),
                EnvironmentVariablesProvider(environmentVariables: environment),
            ]))
    }

    /// The environment variable behind a key.
    package static func variable(_ key: String) -> String {
        "EARSHOT_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }

    /// The trimmed text of a setting; nil when it is not set, or blank.
    package func text(_ key: String) -> String? {
        value(key, isSecret: false)
    }

    /// The same for a value that must not be shown; the reader marks it, so that no access log shows it either.
    func secretText(_ key: String) -> String? {
        value(key, isSecret: true)
    }

    /// An error about a setting, for checks that only the caller can make.
    package func error(_ key: String, problem: String, allowed: String) -> SettingsError {
        SettingsError(key: Self.variable(key), problem: problem, allowed: allowed)
    }

    private func value(_ key: String, isSecret: Bool) -> String? {
        // Capitals would be split into words by the environment provider, and two spellings would mean one variable.
        precondition(
            key.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2E },
            "a settings key is made of lower-case words, digits and dots: \(key)")
        guard let text = reader.string(forKey: ConfigKey(key), isSecret: isSecret) else { return nil }
        let trimmed = text.trimmed
        return trimmed.isEmpty ? nil : trimmed
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
