/// A setting that is missing or no good; a process ends with it at its start.
package struct SettingsError: Error, CustomStringConvertible {
    /// The environment variable, for instance `EARSHOT_PARTITIONS`.
    package let key: String
    /// What is wrong with its value, which is repeated unless it is a secret.
    package let problem: String
    /// What would have been right.
    package let allowed: String

    /// Says what is wrong with the setting `key`, and what is allowed instead.
    package init(key: String, problem: String, allowed: String) {
        self.key = key
        self.problem = problem
        self.allowed = allowed
    }

    /// One line for the person who started the process.
    package var description: String { "\(key): \(problem); allowed: \(allowed)" }
}
