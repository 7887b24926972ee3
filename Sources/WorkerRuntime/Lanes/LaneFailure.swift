/// What a processor may throw; anything else counts against the entry in hand.
package enum LaneFailure: Error, Sendable {
    /// The entry itself cannot be processed; it is retried, then goes to the dead letters.
    case entry(String)
    /// Something named is away; the lane waits and tries again, however long it takes.
    case dependency(name: String, reason: String)
    /// The partition is no longer this process's; nothing may be written.
    case abandoned
}
