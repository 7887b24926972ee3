/// A lease of one group.
struct StoredLease: Hashable, Sendable {
    /// What another process sees of it.
    struct Sighting: Hashable, Sendable {
        let token: Token
        let beat: Int
    }

    var token: Token
    var beat = 0
    var owner: ProcessStart
    var isReleased = false
    var number = 0
}
