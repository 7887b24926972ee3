package import EarshotModel

/// The behaviour of one worker type in one lane; a fresh value a lane, used by one task.
///
/// A processor that throws is thrown away and opened again from the last commit, so it need not undo anything.
package protocol LaneProcessor {
    /// Takes in entries, in order and without gaps unless the stream has some.
    mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws
    /// The session's end: finish what is open and commit it with `isDone`.
    mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws
    /// No entry came for a while, or `wakeAt` has come: finish what waits for more.
    mutating func idle(in context: LaneContext) async throws
    /// Commit as much as can be committed now; called before a hand-over, when memory is short, and before an entry is
    /// given up: what is not committed then is lost with the entry.
    mutating func cut(in context: LaneContext) async throws
    /// When `idle(in:)` should be called next, whether entries come or not; `nil` for never.
    ///
    /// Read after each call. While it has passed `idle(in:)` is called once a heartbeat, not while the lane waits for
    /// a dependency or for its turn in a replay; a lane that has one is not closed for quiet.
    var wakeAt: ContinuousClock.Instant? { get }
}

extension LaneProcessor {
    /// Never: only quiet calls `idle(in:)`.
    package var wakeAt: ContinuousClock.Instant? { nil }
}
