extension Configuration {
    /// One device of four frames, two of everything else, one group.
    static func small(_ change: (inout Configuration) -> Void = { _ in }) -> Configuration {
        var configuration = Configuration()
        configuration.devices = 1
        configuration.frames = 4
        configuration.groups = [.transcript]
        configuration.enabled = [.transcript]
        change(&configuration)
        return configuration
    }

    /// The same without some rules.
    func without(_ rules: WritableKeyPath<Rules, Bool>...) -> Configuration {
        var configuration = self
        for rule in rules { configuration.rules[keyPath: rule] = false }
        return configuration
    }
}
