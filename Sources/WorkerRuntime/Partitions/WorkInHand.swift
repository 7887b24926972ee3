/// What the lanes of a partition are called for, and since when (protocol.md M3).
struct WorkInHand {
    /// When a lane last absorbed or committed anything.
    var lastProgressAt: ContinuousClock.Instant
    /// Since when the call that lasts longest has lasted without a commit.
    var callSince: ContinuousClock.Instant?
    /// The same among lanes that have not failed for a dependency since their last commit.
    var unexplainedSince: ContinuousClock.Instant?
    /// Since when everything has ended where it stood, while a lane has not come back yet.
    var cutSince: ContinuousClock.Instant?
}
