/// The conversations that a connection has opened a session in; pure.
struct OpenedConversations {
    /// Beyond it, which is 128 KB of names, all are forgotten; that costs a session more, and nothing else.
    private static let countMaximum = 1_000

    private var names: Set<String> = []

    func knows(_ name: String) -> Bool { names.contains(name) }

    mutating func add(_ name: String) {
        if names.count >= Self.countMaximum { names = [] }
        names.insert(name)
    }
}
