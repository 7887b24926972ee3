/// A worker of one group: lease, cursor, lanes, and commits one at a time.
struct WorkerModel: Hashable, Sendable {
    struct Lane: Hashable, Sendable {
        var expected: Int
        var ordinal: Int
        var end: Int?
        var isDone = false
        /// Absorbed and not committed.
        var outputs: [StoreEvent.Output] = []
    }

    /// An entry that was read and is not passed by the group's position yet.
    struct Held: Hashable, Sendable {
        let position: Int
        let session: Int
        let next: Int
        var isPassed = false
    }

    var start: ProcessStart
    var isDead = false
    var channel = Channel()
    var lease: LeaseClient
    var identity = 0

    var cursor = 0
    var reached = ModelCommit.Position(position: 0, read: 0)
    var held: [Held] = []
    var lanes: [Int: Lane] = [:]
    /// Sessions that are unknown or through.
    var ignored: Set<Int> = []
    /// Entries of sessions without a lane, in order.
    var waiting: [ModelStore.Entry] = []
    var lookingFor: Set<Int> = []
    var isReading = false
    var number = 0
    /// The commit whose outcome is not known.
    var inDoubt: ModelCommit?
    /// Where the group stands by the last commit.
    var committed = 0

    init(name: Int, number: Int, group: Group) {
        start = ProcessStart(name: name, number: number)
        lease = LeaseClient(group: group)
    }

    /// Starts to own the partition.
    mutating func begin(_ grant: ModelStore.LeaseGrant) {
        abandon()
        lease.token = grant.token
        cursor = grant.position.position
        reached = grant.position
        committed = reached.position
    }

    /// Forgets the partition.
    mutating func abandon() {
        lease.lose()
        cursor = 0
        held = []
        lanes = [:]
        ignored = []
        waiting = []
        lookingFor = []
        isReading = false
        number = 0
        inDoubt = nil
    }

    /// The connection is another one: what was asked and not answered is asked again; a commit is repeated.
    mutating func reconnect() {
        lease.seen = nil
        isReading = false
        lookingFor = []
        channel.requests = inDoubt.map { [.commit($0)] } ?? []
    }
}
