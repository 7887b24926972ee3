/// Every number of the product that is a contract or a bound, in one value, each with its reason.
///
/// Tests shorten clocks by passing another value; the logic stays the same.
package struct Limits: Sendable {
    // MARK: Device connections

    /// Largest WebSocket message: 4 s of 16 kHz PCM16, far above any packet; larger is closed with 1009.
    package var messageBytesMaximum = 128 * 1024
    /// Messages up to this size are keep-alives (`8A 00`); they only refresh the inactivity clock (omi.md 1.4).
    package var keepAliveBytesMaximum = 2
    /// The text `ping` clients rely on (omi.md 1.7).
    package var pingInterval: Duration = .seconds(10)
    /// Time without any message, while the socket was being read, after which a session is closed with 1001.
    package var inactivityTimeout: Duration = .seconds(90)
    /// Time a `/v4/web/listen` client has for its first, authenticating message (omi.md 1.1).
    package var firstMessageTimeout: Duration = .seconds(5)
    /// Time a client has to finish its upgrade request; a slow one must not hold a socket for ever.
    package var upgradeTimeout: Duration = .seconds(10)
    /// A gateway asks this often whether a session that appends nothing is still its own (M17).
    package var ownershipCheckInterval: Duration = .seconds(10)
    /// Time for the closing handshake before the socket is cut.
    package var closeTimeout: Duration = .seconds(5)
    /// Bytes waiting for a client that does not read, past which it is closed: minutes of transcript.
    package var outboundBytesMaximum = 256 * 1024
    /// Sessions a gateway process takes, past which an upgrade gets 503; two cores carry 10,000.
    package var sessionsMaximum = 10_000
    /// Sessions one user may open in `sessionRateWindow`: reconnecting phones stay far below, test rigs below.
    package var sessionsPerUserMaximum = 1_200
    /// The window of `sessionsPerUserMaximum`.
    package var sessionRateWindow: Duration = .seconds(60)
    /// Speaker assignments of a session that become requests for samples, in a minute: as many as omi's listen keeps.
    package var speakerAssignmentsMaximum = 50
    /// Event-loop delay past which a gateway admits nobody: its sessions already feel it.
    package var loopDelayMaximum: Duration = .milliseconds(500)

    /// Bytes of a session that Redis has not taken; past it the socket is not read: half a minute of PCM16.
    package var sessionHeldBytesMaximum = 1024 * 1024

    // MARK: Native connections

    /// Time past `sessionHeldBytesMaximum` after which the session is closed with 1013.
    package var nativeHeldTimeMaximum: Duration = .seconds(30)
    /// Time without any frame, pongs included, after which a native connection is cut: three pings.
    package var deadPeerTimeout: Duration = .seconds(30)
    /// Sessions asked for one after the other, when each has a successor: one call follows 64 links of a chain.
    package var resumeAttemptsMaximum = 32
    /// Sessions of a chain whose stored audio is looked at for acknowledgements; a part a minute is stored of each.
    package var storedChainMaximum = 256
    /// When final results of the session that is continued are asked for, after the resume: its last utterance may take
    /// the recogniser a while.
    package var earlierResultsDelays: [Duration] = [.zero, .seconds(2), .seconds(6), .seconds(15), .seconds(30)]
    /// How long a device is asked to stay away: spread over the first when a gateway restarts, and from the second on
    /// when something cannot keep up.
    package var restartSpread: Duration = .seconds(1)
    package var overloadPause: Duration = .seconds(5)

    // MARK: Back-end connections

    /// Largest WebSocket message of a back end: its sender keeps up to 10 MiB of audio for one message (omi.md 2.5).
    package var backendMessageBytesMaximum = 16 * 1024 * 1024
    /// Largest message that is not audio: a sender keeps up to 1,000 segments, and reading JSON holds up the loop.
    package var backendJSONBytesMaximum = 2 * 1024 * 1024
    /// Time without any message, while the socket was being read, after which it is closed with 1011 (omi.md 2.4).
    package var backendSilenceMaximum: Duration = .seconds(300)
    /// Audio that waits to be told its conversation, in time and in bytes: transcripts, which tell it too, come once a
    /// second while anybody speaks.
    package var backendHoldMaximum: Duration = .seconds(10)
    package var backendHeldBytesMaximum = 1024 * 1024
    /// A jump of a timestamp over the audio before it that counts as a gap; the senders' arrival times jitter less.
    package var backendGapMinimum: Duration = .milliseconds(250)
    /// How far a sender's clock may be ahead before its timestamps are not believed.
    package var backendClockLeadMaximum: Duration = .seconds(24 * 3600)
    /// Accepted audio kept for comparison with what is sent again: a minute at 16 kHz, a connection each.
    package var backendReplayBytesMaximum = 2 * 1024 * 1024
    /// Audio of a back end is cut into frames of this size, which fill a batch's largest step alone.
    package var backendFrameBytes = 7_680
    /// Segments in one event: a tenth of what a sender keeps, 50 KB.
    package var backendEventSegmentsMaximum = 100

    // MARK: Coalescing and appending

    /// Longest a frame waits in a batch.
    package var batchDelay: Duration = .milliseconds(250)
    /// The tick of a loop's timer wheel: ten slots a batch delay, so that flushes spread.
    package var tick: Duration = .milliseconds(25)
    /// How often a loop looks at each connection: acknowledgements are owed once a second, and ticks come late.
    package var visitInterval: Duration = .milliseconds(800)
    /// Payload bounds of a batch; Redis wastes a quarter of the memory just above 2,048 and 4,096 bytes.
    package var batchBytesSteps = [1_900, 3_900, 7_800]
    /// Most frames in a batch: the header counts them in 16 bits, and 250 ms of 2.5 ms packets are 100.
    package var batchFramesMaximum = 1_024
    /// Age of the oldest unanswered append after which a loop stops reading its sockets.
    package var appendReplyDelayMaximum: Duration = .seconds(1)
    /// How long Redis is asked to wait for its disk, where it answers before it writes.
    ///
    /// `everysec` lags by two seconds. Two such waits fit into the 15 s after which a device gives a resume up.
    package var diskConfirmationTimeout: Duration = .seconds(5)
    /// Unanswered operations a loop keeps for resending: one batch in flight for each session and some ends.
    package var appendOperationsMaximum = 40_000
    /// Ends that Redis refused and a loop keeps asking for, and how many a second: every session a process may have.
    package var refusedEndsMaximum = 10_000
    package var refusedEndsRepeated = 500
    /// How long an end that Redis took is repeated to a server that takes its place: several times what one loses that
    /// writes to its disk once a second.
    package var endsRemembered: Duration = .seconds(10)
    /// Share of Redis' `maxmemory` past which new sessions get 503, and past which sockets are not read (C5).
    package var redisMemoryAdmission = 0.70
    package var redisMemoryReading = 0.85
    /// Unread entries of a partition past which its users get 503: ten minutes of 150 sessions.
    package var partitionBacklogMaximum: Int64 = 400_000
    /// A jump of the arrival clock over the sample clock that counts as a pause of the device.
    package var captureGapMinimum: Duration = .seconds(2)

    // MARK: Leases and members

    /// Period of heartbeats and lease renewals.
    package var heartbeatInterval: Duration = .milliseconds(500)
    /// A worker's lease or membership unchanged this long, in unbroken contact with Redis, has lapsed (H1).
    package var leaseLapse: Duration = .seconds(3)
    /// A gateway unchanged this long has lapsed; its sessions are ended within 15 s of its death.
    package var gatewayLapse: Duration = .seconds(8)
    /// Members count for the ownership map after this age, so that a crash loop moves nothing (M8).
    package var memberMaturity: Duration = .seconds(5)
    /// A partition's hand-over at shutdown (M2), and the whole drain of a process.
    package var handOverBudget: Duration = .seconds(2)
    package var drainBudget: Duration = .seconds(30)
    /// A draining gateway closes its sessions over this time, so that the others are not stormed, or one in
    /// `drainSpacing` when that ends sooner; the rest of the budget is for closing handshakes and appends.
    package var drainWindow: Duration = .seconds(20)
    package var drainSpacing: Duration = .milliseconds(10)
    /// A worker in which nothing got on for this long, and a lane's call has lasted as long, exits (M3): a call waits
    /// for the store or a server 30 s at most.
    package var stallTimeout: Duration = .seconds(120)
    /// The same for one call while others get on: twice what the last of a full recogniser's queue waits.
    package var laneStallTimeout: Duration = .seconds(1_800)

    /// A worker whose lanes have all waited for one dependency this long gives its partitions back and exits (M3): it
    /// may be the one that is cut off.
    ///
    /// Far above a restart of anything, far below a day's quota of parked audio.
    package var dependencyWaitMaximum: Duration = .seconds(1_800)

    // MARK: Lanes

    /// Longest blocking read; a wake-up normally interrupts it at once.
    ///
    /// A lane's quiet is known up to the last answer, so that this is well below `laneIdle`.
    package var readBlock: Duration = .seconds(1)
    /// Entries read a stream and call: 100 amortise the call, and bound a reply to about 800 KB a stream.
    package var readCount = 100
    /// Entries a lane's inbox keeps: a minute of audio; beyond it payloads are dropped and read again (C1).
    package var laneInboxEntriesMaximum = 256
    /// The same for a lane that waits for a dependency or for its turn in a replay.
    package var waitingLaneEntriesMaximum = 16
    /// Payload bytes in the inboxes of one partition past which it is not read for a while.
    package var partitionInFlightBytesMaximum = 8 * 1024 * 1024
    /// Entries known but not absorbed in one partition past which it is not read: memory of the position tracker.
    package var partitionUnabsorbedMaximum = 50_000
    /// A lane that waited this long for a dependency parks what it has (C6): trimming must not wait for it.
    package var parkAfter: Duration = .seconds(300)
    /// Parked payload of one partition and group: four hours of one session, and a bound of Redis' memory.
    package var parkedBytesMaximum = 64 * 1024 * 1024
    /// Entries in one call that parks: a function may not hold up Redis.
    package var parkEntriesMaximum = 256
    /// Parked entries a lane is replayed with after a crash: several of its units, more than a dead owner had in hand.
    package var parkedReplayMaximum = 1_024
    /// Absorbed bytes of one partition past which the lanes that hold longest are told to cut (C1).
    package var partitionHeldBytesMaximum = 64 * 1024 * 1024
    /// A lane that got no entry for this long, of time in which its partition was read, is told so, to finish what it
    /// holds open.
    package var laneIdle: Duration = .seconds(3)
    /// How long behind an outage of Redis no lane is quiet yet: a gateway's longest pause between two attempts (2 s),
    /// an attempt that nobody answers (2 s), and a second for what it held to be appended.
    package var gatewayReturn: Duration = .seconds(5)
    /// A lane without entries for this long is closed; a later entry opens it again from its commit.
    package var laneClose: Duration = .seconds(120)
    /// Attempts at an entry before it goes to the dead letters, and crashes before it is quarantined (H5).
    package var entryAttemptsMaximum = 3
    package var crashesMaximum = 3
    /// Position-only commits are not worth more than one a second.
    package var positionCommitInterval: Duration = .seconds(1)
    /// Lanes in one commit: a function may not hold up Redis, and Lua unpacks at most 8,000 values.
    package var commitLanesMaximum = 64
    /// Entries the dead-letter stream of a partition and group keeps.
    package var deadLettersMaximum = 1_000
    /// Requests for voice samples that a partition remembers: a call repeated after a lost answer is one of the last.
    package var sampleRequestsKnown = 1_000
    /// Final messages kept a session for a gateway that missed some (M4).
    package var finalsKept = 200
    /// How long the registry keeps an ended session, and its finals (H9).
    package var endedSessionRetention: Duration = .seconds(24 * 3600)

    // MARK: Speech

    /// Interim text of an open utterance, at most this often a session.
    package var interimInterval: Duration = .milliseconds(1_000)

    /// Audio of a session after which its usage is told while it goes on; the end of a day and of the session tell it,
    /// too.
    package var usageInterval: Duration = .seconds(600)

    // MARK: Conversations

    /// `conversation_timeout`: the least and the default in seconds; -1 means `conversationTimeoutLongest` (omi.md
    /// 1.2).
    package var conversationTimeoutDefault = 120
    package var conversationTimeoutLongest = 14_400
    /// How long a conversation that is over waits for its stored audio before it is completed without: a part is
    /// uploaded within seconds, unless the store is away.
    package var conversationAudioWait: Duration = .seconds(30)
    /// Sessions of a conversation that are looked back at for speakers to go on with, past those that had no audio yet:
    /// each costs a look at the registry, once.
    package var conversationLookBackMaximum = 8

    // MARK: Coordinator

    /// Period of reconciliation.
    package var reconcileInterval: Duration = .seconds(1)
    /// Calls a coordinator has on their way at a time; they share one connection, which answers in order.
    package var reconcileConcurrency = 16
    /// Calls in one round for a group that nobody runs and that wants nothing of a partition: 2,000 entries.
    package var skipCallsMaximum = 20
    /// When a member that does not beat is forgotten, and how often that is looked at.
    ///
    /// It was killed, and nobody took its name again; so the members are at most the processes of an hour.
    package var memberRetention: Duration = .seconds(3600)
    package var memberInterval: Duration = .seconds(60)
    /// How often lag is measured; whoever scales by it looks less often.
    package var lagInterval: Duration = .seconds(5)
    /// Time of events the record has not had past which that is an alert (M19): Redis keeps them all.
    package var unrecordedMaximum: Duration = .seconds(600)
    /// How often the ledger's totals are looked at, of sessions that ended within which time, and of how many at most:
    /// a query may not weigh on the record however many there were.
    package var ledgerInterval: Duration = .seconds(60)
    package var ledgerWindow: Duration = .seconds(3600)
    package var ledgerSessionsMaximum = 20_000
    /// How often sessions are looked for that the record shows as live and Redis has lost, and how many rows at
    /// a time; each is looked up in the registry, one after the other, which is no load worth speaking of.
    package var forgottenInterval: Duration = .seconds(60)
    package var forgottenBatchMaximum = 500
    /// Events in one batch to Postgres.
    package var recordBatchMaximum = 500
    /// How often changed settings are looked for, and how many are projected at a time.
    package var settingsInterval: Duration = .seconds(1)
    package var settingsBatchMaximum = 200
    /// Users whose settings a worker keeps, and for how long at most; a change is announced and forgets them at once.
    package var settingsCacheMaximum = 10_000
    package var settingsCacheAge: Duration = .seconds(60)

    /// The numbers a fleet runs with.
    package init() {}
}
