import EarshotModel
import NIOCore

/// What `InMemoryHandOff` keeps under its lock, with each function's behaviour as a method.
struct InMemoryState {
    struct Group {
        var position = StreamPosition.start
        var entriesRead: Int64 = 0
    }

    struct Stream {
        var entries: [StreamEntry] = []
        var groups: [WorkerGroup: Group] = [:]
        /// Entries ever appended.
        var added: Int64 = 0
    }

    struct Session {
        var base: RegisteredSession
        var nonce: UInt64
        var continues: Bool
        /// Whether its conversation was closed, and it is to go on in another.
        var isSwitched = false
        var progress: [WorkerGroup: LaneProgress] = [:]
    }

    struct User {
        /// `nil` once it was closed.
        var conversation: String?
        var start: Int64
        var touched: Int64
        var timeout: Int
        var live: Set<SessionID> = []
    }

    struct PartitionState {
        var streams: [StreamKind: Stream] = [:]
        var sessions: [SessionID: Session] = [:]
        var users: [UserID: User] = [:]
        var live: [SessionID: String] = [:]
        var leases: [WorkerGroup: InMemoryLease] = [:]
        var finals: [SessionID: [LiveResult]] = [:]
        var parked: [WorkerGroup: [SessionID: [StreamEntry]]] = [:]
        var dead: [WorkerGroup: [Commit.DeadLetter]] = [:]
        var enabled: [StreamKind: [WorkerGroup]] = [:]
        var epochs: Int64 = 0
        var incarnation: String?
        var settings: [UserID: UserSettings] = [:]
        /// Names of the last requests for samples.
        var sampleRequests: [String] = []
        var conversations: [String: Conversation] = [:]
    }

    struct Conversation {
        enum Phase { case open, closing, completed }
        var user: UserID
        var start: Int64
        var phase = Phase.open
        var sessions: [SessionID] = []
        var times: UInt64 = 0
        var mark: StreamPosition?
        /// When its closing began.
        var closing: Int64?
        /// Whether it was completed before all of its audio was stored.
        var isAudioPending = false
        var last: Int64?
        var isBound = false
        var heard: [SessionID: Int64] = [:]
        var speech: Int64?
    }

    var isAvailable = true
    var server = 1
    var fleet: FleetMeta?
    var members: [String: [String: Int64]] = [:]
    var partitions: [Partition: PartitionState] = [:]
    var published: [(gateway: String, result: LiveResult)] = []
    /// One waiting read of one reader.
    struct Wait: Hashable {
        let number: UInt64
        let reader: UInt64
    }

    /// Reads that found nothing and wait; one that has not stored its continuation yet has `nil` there.
    private var waiters: [Wait: CheckedContinuation<Void, Never>?] = [:]
    private var numbersDrawn: UInt64 = 0
    /// Readers whose next look tells them that they were interrupted.
    var interrupted: Set<UInt64> = []
    var hasAppended = false
    private var clock: UInt64 = 1

    mutating func drawNumber() -> UInt64 {
        numbersDrawn += 1
        return numbersDrawn
    }

    /// Notes that a read is about to wait.
    mutating func expect(_ wait: Wait) { waiters[wait] = .some(nil) }

    /// Stores what to resume; false when the read was woken already.
    mutating func store(_ continuation: CheckedContinuation<Void, Never>, for wait: Wait) -> Bool {
        guard waiters[wait] != nil else { return false }
        waiters[wait] = continuation
        return true
    }

    mutating func settle(_ wait: Wait) -> CheckedContinuation<Void, Never>? {
        waiters.removeValue(forKey: wait) ?? nil
    }

    mutating func interrupt(_ reader: UInt64) -> [CheckedContinuation<Void, Never>] {
        interrupted.insert(reader)
        return waiters.keys.filter { $0.reader == reader }.compactMap { settle($0) }
    }

    mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
        hasAppended = false
        defer { waiters = [:] }
        return waiters.values.compactMap(\.self)
    }

    /// Entries behind a position; entries stand in the order of their positions.
    func entries(_ kind: StreamKind, _ partition: Partition, after position: StreamPosition, count: Int)
        -> [StreamEntry]
    {
        let entries = stream(kind, partition).entries
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].position > position { high = middle } else { low = middle + 1 }
        }
        return Array(entries[low...].prefix(count))
    }

    func stream(_ kind: StreamKind, _ partition: Partition) -> Stream {
        partitions[partition]?.streams[kind] ?? Stream()
    }

    mutating func append(_ payload: ByteBuffer, to kind: StreamKind, _ partition: Partition) -> StreamPosition {
        clock += 1
        let position = StreamPosition(milliseconds: clock, sequence: 0)
        var state = partitions[partition] ?? PartitionState()
        var stream = state.streams[kind] ?? Stream()
        stream.entries.append(StreamEntry(position: position, payload: payload))
        stream.added += 1
        state.streams[kind] = stream
        partitions[partition] = state
        hasAppended = true
        return position
    }

    mutating func ensureGroup(_ group: WorkerGroup, _ kind: StreamKind, _ partition: Partition) {
        var state = partitions[partition] ?? PartitionState()
        var stream = state.streams[kind] ?? Stream()
        if stream.groups[group] == nil {
            stream.groups[group] = Group(entriesRead: stream.added - Int64(stream.entries.count))
        }
        state.streams[kind] = stream
        partitions[partition] = state
    }

    mutating func acquire(_ attempt: Lease.Attempt, _ group: WorkerGroup, _ kind: StreamKind?) -> Lease.Outcome {
        let old = partitions[attempt.partition]?.leases[group]
        var mode = Lease.Mode.fresh
        if let old {
            if old.isReleased {
                mode = .released
            } else if old.owner == attempt.owner.description {
                mode = .retaken
            } else if old.token == attempt.lapsed?.token, old.beat == attempt.lapsed?.beat {
                mode = .lapsed
            } else {
                return .held(
                    Lease.Sighting(token: old.token, beat: old.beat, owner: old.owner, isReleased: false))
            }
        }
        var content = Stream()
        if let kind {
            ensureGroup(group, kind, attempt.partition)
            content = stream(kind, attempt.partition)
        }
        let counter = old.flatMap { Int($0.token.text.prefix { $0 != ":" }) } ?? 0
        let position = content.groups[group] ?? Group()
        var lease = InMemoryLease(
            token: FencingToken("\(counter + 1):\(FencingToken.drawNonce())"), owner: attempt.owner.description)
        if let old { lease.inherit(old, isLapsed: mode == .lapsed) }
        partitions[attempt.partition, default: .init()].leases[group] = lease
        return .granted(
            Lease.Grant(
                token: lease.token, mode: mode, position: position.position, entriesRead: position.entriesRead,
                horizon: content.entries.last?.position ?? .start, crashes: lease.crashes,
                parked: kind == nil ? [] : parkedLanes(group, attempt.partition)))
    }

    mutating func commit(_ commit: Commit, _ limits: Limits) throws(HandOffError) -> Commit.Outcome {
        guard let lease = partitions[commit.partition]?.leases[commit.group], lease.token == commit.token else {
            partitions[commit.partition]?.leases[commit.group]?.takeBack(commit.token)
            return .fenced
        }
        if commit.number <= lease.number { return .repeated }
        guard commit.number == lease.number + 1 else { return .outOfOrder }
        if commit.position != nil, stream(commit.stream, commit.partition).groups[commit.group] == nil {
            throw HandOffError(.refused, "NOGROUP the stream or its group is gone")
        }
        for lane in commit.lanes { apply(lane, of: commit, limits) }
        for unparked in commit.unparked { unpark(unparked, of: commit) }
        if let position = commit.position {
            partitions[commit.partition]?.streams[commit.stream]?.groups[commit.group] = Group(
                position: position.position, entriesRead: position.entriesRead)
        }
        partitions[commit.partition]?.leases[commit.group]?.number = commit.number
        return .applied
    }

    private mutating func apply(_ lane: Commit.Lane, of commit: Commit, _ limits: Limits) {
        for event in lane.events { _ = append(ByteBuffer(string: event), to: .events, commit.partition) }
        for entry in lane.again { _ = append(ByteBuffer(string: entry), to: commit.stream, commit.partition) }
        let dead = (partitions[commit.partition]?.dead[commit.group] ?? []) + lane.deadLetters
        partitions[commit.partition]?.dead[commit.group] = dead.suffix(limits.deadLettersMaximum)
        guard let id = lane.session, let session = partitions[commit.partition]?.sessions[id] else { return }
        note(lane, of: session.base, in: commit.partition)
        var progress = lane.progress
        progress.isDone = progress.isDone || session.progress[commit.group]?.isDone == true
        partitions[commit.partition]?.sessions[id]?.progress[commit.group] = progress
        let finals = (partitions[commit.partition]?.finals[id] ?? []) + lane.finals
        partitions[commit.partition]?.finals[id] = finals.suffix(limits.finalsKept)
        published += lane.finals.map { (session.base.gateway.description, $0) }
        guard lane.progress.isDone else { return }
        _ = complete(id, in: commit.partition)
    }
}
