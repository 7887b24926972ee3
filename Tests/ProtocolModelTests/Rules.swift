/// The rules of protocol.md, each of which can be switched off to show that the checks miss it.
struct Rules: Hashable, Sendable {
    /// C2: a gateway acknowledges only what the tail check behind the append confirms.
    var checksTail = true
    /// C2: readers pass over entries of a session above its recorded end.
    var dropsBehindEnd = true
    /// C2: an end happens once.
    var endIsFinal = true
    /// C2: a lane is made from the registry, never for a session it does not know or that the group is through with.
    var lanesComeFromRegistry = true
    /// C2: entries below a lane's next sequence number are duplicates.
    var dedupsBySequence = true
    /// M10: a lane takes no entry beyond a gap, and after a refused append nothing counts.
    var takesOnlyContiguous = true
    /// C7: commits are numbered.
    var numbersCommits = true
    /// A commit's token is compared with the lease's.
    var fencesCommits = true
    /// C4: tokens carry a nonce of the acquirer.
    var drawsNonces = true
    /// C4: a process that meets another server drops leases, epochs and cursors.
    var voidsOnAnotherServer = true
    /// C4: it does so before it sends anything again.
    var voidsBeforeSending = true
    /// C4, H11: a gateway that meets another server goes on as another incarnation, so that sessions whose end was
    /// taken back are ended again.
    var renewsIncarnation = true
    /// C5: functions that free or fence pass a full server.
    var freesWhenFull = true
    /// C6: only enabled groups count for trimming and completion.
    var countsOnlyEnabledGroups = true
    /// H1: an observation without contact does not count.
    var lapseNeedsContact = true
    /// H2: the trim function computes its minimum itself.
    var trimComputesMinimum = true
    /// H8: the group's position moves in the commit, not with the read.
    var positionMovesInCommit = true
    /// H9: a lane of a resumed session starts where the group's lane of the old one stopped.
    var inheritsNext = true
    /// H9: it opens only when the group is through with the old session.
    var waitsForPredecessor = true
    /// H9: a device attaches again to a session only if that has every frame the device has no more.
    var reattachesOnlyWhole = true
    /// H11: a process draws a number at its start, and a start ends its name's older incarnations.
    var drawsIncarnations = true
    /// M6: a conversation is completed by compare-and-set.
    var completesOnce = true
    /// M6: reopening a closing conversation forgets up to where the record had to be.
    var reopeningForgetsMark = true
}
