package import EarshotModel
package import NIOCore

/// The hand-off between processes: registry, leases, streams and fenced commits.
///
/// Redis functions are the real implementation (`RedisHandOff`), `InMemoryHandOff` the twin; one conformance suite
/// holds both to the same behaviour. Every operation may be repeated after an unknown outcome.
package protocol HandOff: Sendable {
    /// Writes the fleet's facts once and returns those that hold.
    func joinFleet(_ meta: FleetMeta) async throws(HandOffError) -> FleetMeta

    /// Adds a process and ends its name's older incarnations (protocol.md H11).
    func join(kind: String, as member: Incarnation) async throws(HandOffError)
    /// Beats once and returns every member's beat.
    func beat(kind: String, as member: Incarnation) async throws(HandOffError) -> [String: Int64]
    /// Every member's beat.
    func members(kind: String) async throws(HandOffError) -> [String: Int64]
    /// Leaves the member set.
    func leave(kind: String, as member: Incarnation) async throws(HandOffError)
    /// Removes a member whose beat is still what it was; whether it was.
    func forget(kind: String, member: String, beat: Int64) async throws(HandOffError) -> Bool

    /// Registers a session and opens or continues the user's conversation.
    ///
    /// One with a predecessor takes it over, once: a predecessor without an end is ended in the same step, and its
    /// gateway is told (protocol.md H9).
    func register(_ registration: SessionRegistration, in partition: Partition) async throws(HandOffError)
        -> SessionRegistration.Grant
    /// Appends one entry of audio without any check, as the gateway's pipeline does.
    func append(_ entry: ByteBuffer, to partition: Partition) async throws(HandOffError) -> StreamPosition
    /// The tail check behind an append: whether the session's epoch is unchanged and it has no end (protocol.md C2).
    func holds(_ session: SessionID, epoch: FencingToken, in partition: Partition) async throws(HandOffError) -> Bool
    /// Stores the highest number that was acknowledged to the device, and its capture time.
    ///
    /// Returns false, and stores nothing, when the session has another epoch or an end.
    @discardableResult
    func note(
        _ session: SessionID, epoch: FencingToken, last: UInt64, capture: Int64, in partition: Partition
    ) async throws(HandOffError) -> Bool
    /// Ends a session, once.
    func end(_ ending: SessionEnding, in partition: Partition) async throws(HandOffError) -> SessionEnding.Outcome
    /// A session as the registry knows it, with a group's progress.
    func session(_ id: SessionID, group: WorkerGroup, in partition: Partition) async throws(HandOffError)
        -> RegisteredSession?
    /// The sessions without an end, with their gateways.
    func liveSessions(in partitions: [Partition]) async throws(HandOffError) -> [Partition: [SessionID: String]]
    /// The final results kept of a session.
    func finals(of session: SessionID, in partition: Partition) async throws(HandOffError) -> [LiveResult]

    /// A user's settings as they were projected last; the defaults for a user without any.
    func settings(of user: UserID, in partition: Partition) async throws(HandOffError) -> UserSettings
    /// Projects a user's settings and tells everybody; false when newer ones are there.
    func project(_ settings: UserSettings, of user: UserID, in partition: Partition) async throws(HandOffError) -> Bool
    /// Sends a text to the devices of a user that are connected now; returns how many sessions were told.
    func notify(_ user: UserID, in partition: Partition, text: String) async throws(HandOffError) -> Int
    /// Queues a request to learn a voice; one that is repeated is known by its name.
    func requestSample(_ request: SpeakerSampleRequest, in partition: Partition) async throws(HandOffError)
    /// Appends an event, outside of any commit.
    func append(event: SessionEvent, in partition: Partition) async throws(HandOffError)
    /// The conversations that are not completed.
    func conversations(in partitions: [Partition]) async throws(HandOffError) -> [Partition: [OpenConversation]]
    /// Closes a conversation: nobody continues it; false when it never was.
    func closeConversation(_ id: String, of user: UserID, in partition: Partition, now: Int64)
        async throws(HandOffError) -> Bool
    /// Completes a conversation, once, when it is over, transcribed and recorded; `times` it was completed before.
    func settle(
        _ conversation: OpenConversation, times: UInt64, in partition: Partition, now: Int64, token: FencingToken
    ) async throws(HandOffError) -> ConversationSettlement

    /// Sets the enabled groups of partitions and creates them, so that nothing they need is trimmed.
    ///
    /// Returns each partition's incarnation, drawn when it is enabled for the first time: another one later means that
    /// Redis lost its data (protocol.md M14).
    @discardableResult
    func enable(_ groups: EnabledGroups, in partitions: [Partition]) async throws(HandOffError) -> [Partition: String]
    /// The partitions' incarnations; those that were never enabled, or are lost, are absent.
    func incarnations(of partitions: [Partition]) async throws(HandOffError) -> [Partition: String]
    /// Tries to take leases; a stream's group is created with the first.
    func acquire(_ attempts: [Lease.Attempt], group: WorkerGroup, stream: StreamKind?) async throws(HandOffError)
        -> [Partition: Lease.Outcome]
    /// Beats leases; returns those that are still the caller's.
    ///
    /// `settled` names those of which the owner replays nothing. An owner that lapsed and still calls did not crash, so
    /// a crash counted for it is taken back, as long as nobody has settled the partition (protocol.md H5).
    func renew(_ tokens: [Partition: FencingToken], settled: Set<Partition>, group: WorkerGroup)
        async throws(HandOffError) -> Set<Partition>
    /// Gives a lease back; a foreign token changes nothing.
    func release(_ token: FencingToken, group: WorkerGroup, partition: Partition) async throws(HandOffError)
    /// How leases look now; partitions without one are absent.
    func sightings(of partitions: [Partition], group: WorkerGroup) async throws(HandOffError)
        -> [Partition: Lease.Sighting]
    /// Names what the owner is about to touch in a replay, or `nil` when it is through.
    ///
    /// Crashes counted against `cleared` are forgotten.
    func takeInHand(
        _ hand: String?, clearing cleared: String?, token: FencingToken, group: WorkerGroup, partition: Partition
    ) async throws(HandOffError) -> Bool

    /// Entries of a stream behind a position, without any side effect.
    func entries(of stream: StreamKind, in partition: Partition, after position: StreamPosition, count: Int)
        async throws(HandOffError) -> [StreamEntry]
    /// Copies entries of a session out of the audio stream, so that the group may pass them without having had them
    /// (protocol.md C6).
    ///
    /// Positions ascend. They are parked in order, under a quota a partition and group, all or none of a call.
    func park(
        _ positions: [StreamPosition], of session: SessionID, token: FencingToken, group: WorkerGroup,
        partition: Partition
    ) async throws(HandOffError) -> ParkedLane.Outcome
    /// Parked entries of a session behind a position, without any side effect.
    func parkedEntries(
        of session: SessionID, group: WorkerGroup, in partition: Partition, after position: StreamPosition, count: Int
    ) async throws(HandOffError) -> [StreamEntry]
    /// Commits.
    func commit(_ commit: Commit) async throws(HandOffError) -> Commit.Outcome
    /// Publishes a result that is never committed, if the token is the lease's.
    func publish(
        _ result: LiveResult, to gateway: Incarnation, token: FencingToken, group: WorkerGroup, partition: Partition
    ) async throws(HandOffError) -> Bool

    /// Trims a stream to what its enabled groups need, under the coordinator's lease; returns the entries removed.
    func trim(_ stream: StreamKind, in partition: Partition, token: FencingToken, group: WorkerGroup)
        async throws(HandOffError) -> Int64
    /// Moves a group of the audio stream that nobody runs up to the first entry that it wants (protocol.md C6).
    ///
    /// Markers of sessions that do not want it count as passed by it. `lapsed` is a lease that the caller saw unchanged
    /// for its lapse. One call looks at `Limits.readCount` entries.
    func skipUnwanted(by group: WorkerGroup, in partition: Partition, lapsed: Lease.Sighting?, token: FencingToken)
        async throws(HandOffError) -> UnwantedSkip
    /// Completes the ended sessions that wait only for groups that are not enabled any more, under the coordinator's
    /// lease; returns how many, -1 for a foreign token.
    func completeEnded(in partition: Partition, token: FencingToken) async throws(HandOffError) -> Int
    /// The lag of a group in partitions.
    func lag(of group: WorkerGroup, stream: StreamKind, in partitions: [Partition]) async throws(HandOffError)
        -> [GroupLag]

    /// Which server answered last, and in which of its lives; another one voids leases and cursors (protocol.md C4).
    var serverIdentity: String? { get }
}

extension HandOff {
    /// Beats leases of an owner that reads no stream.
    package func renew(
        _ tokens: [Partition: FencingToken], group: WorkerGroup
    ) async throws(HandOffError) -> Set<Partition> {
        try await renew(tokens, settled: [], group: group)
    }
}
