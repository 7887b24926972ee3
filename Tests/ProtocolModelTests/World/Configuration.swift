/// Who takes part in a run, and under which rules.
struct Configuration: Hashable, Sendable {
    var rules = Rules()
    var devices = 2
    /// Frames each device captures.
    var frames = 8
    /// Whether devices resume, or are over with their first connection.
    var resumes = true
    var gateways = 2
    /// Groups with workers, and those of them that are enabled.
    var groups: [Group] = [.transcript, .storage]
    var enabled: [Group] = [.transcript, .storage]
    var workersPerGroup = 2
    var coordinators = 2
    /// Entries past which the store refuses audio.
    var capacity: Int?
    /// Whether the entries after a failover may have positions that were given out before it.
    var repeatsPositions = true
}
