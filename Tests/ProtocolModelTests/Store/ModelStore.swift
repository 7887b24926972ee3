/// What Redis holds of one partition, with the behaviour of each function of the hand-off as a method.
///
/// A value, so that a snapshot is an assignment and a state can be hashed; `HandOffTwin` holds it to what the
/// product's implementations answer.
struct ModelStore: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        let position: Int
        let session: Int
        let first: Int
        let count: Int
        let isMarker: Bool

        /// The number behind its last frame.
        var next: Int { first + count }
    }

    var rules: Rules
    /// Entries past which audio is refused for lack of memory.
    var capacity: Int?
    var enabled: [Group]
    /// Which server this is, and in which of its lives.
    var identity = 0
    var lastPosition = 0
    /// Entries ever appended.
    var added = 0
    var entries: [Entry] = []
    var sessions: [Int: StoredSession] = [:]
    /// The last session of each device's chain.
    var latest: [Int: Int] = [:]
    var positions = [ModelCommit.Position](
        repeating: ModelCommit.Position(position: 0, read: 0), count: Group.allCases.count)
    var leases = [StoredLease?](repeating: nil, count: Group.allCases.count)
    var members: [ProcessStart: Int] = [:]
    var events: [StoreEvent] = []
    /// Events that the record has passed.
    var recorded = 0
    var conversations: [Int: StoredConversation] = [:]
    var openConversation: [Int: Int] = [:]
    var epochs = 0

    init(rules: Rules, capacity: Int? = nil, enabled: [Group]) {
        self.rules = rules
        self.capacity = capacity
        self.enabled = enabled
    }

    /// Whether plain writes are refused.
    var isFull: Bool { capacity.map { entries.count >= $0 } ?? false }
    /// The sessions without an end, in the order of their ids.
    var live: [StoredSession] { sessions.values.filter { $0.end == nil }.sorted { $0.id < $1.id } }

    // MARK: Members

    mutating func join(_ member: ProcessStart) {
        members = members.filter { $0.key.name != member.name || $0.key == member }
        members[member, default: 0] += 1
    }

    mutating func beat(_ member: ProcessStart) {
        members[member, default: 0] += 1
    }

    // MARK: Appending and reading

    /// Appends audio without any check; `nil` when the server is full.
    mutating func append(session: Int, first: Int, count: Int) -> Int? {
        guard !isFull else { return nil }
        let position = write(Entry(position: 0, session: session, first: first, count: count, isMarker: false))
        if let known = sessions[session], known.end == nil {
            sessions[session]?.appended = max(known.appended, first + count)
        }
        return position
    }

    mutating func write(_ entry: Entry) -> Int {
        lastPosition += 1
        added += 1
        entries.append(
            Entry(
                position: lastPosition, session: entry.session, first: entry.first, count: entry.count,
                isMarker: entry.isMarker))
        return lastPosition
    }

    func entries(after position: Int, count: Int) -> [Entry] {
        Array(entries.drop { $0.position <= position }.prefix(count))
    }

    /// Removes what no counted group needs; `nil` when the lease is another's.
    ///
    /// - Parameters:
    ///   - token: the coordinator's.
    ///   - minimum: computed outside, for the variant that trusts it.
    /// - Returns: the number of entries removed.
    mutating func trim(_ token: Token, minimum: Int?) -> Int? {
        guard leases[Group.coordinator.rawValue]?.token == token else { return nil }
        let own = countedGroups.map { positions[$0.rawValue].position }.min() ?? 0
        let lowest = rules.trimComputesMinimum ? own : minimum ?? own
        let before = entries.count
        entries.removeAll { $0.position < lowest }
        return before - entries.count
    }

    var countedGroups: [Group] { rules.countsOnlyEnabledGroups ? enabled : [.transcript, .storage] }
}
