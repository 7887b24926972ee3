import AudioStreams
import EarshotModel
import PostgresClient
import RedisClient
import SessionRecord

/// Works out accounts of sessions on a live fleet.
///
/// It reads Redis, then Postgres: what moved on in between is found farther on. Whoever seems to have lost something is
/// looked at again when the record has come as far as the events went.
struct Auditor {
    private let redis: LedgerReader
    private let record: PostgresSessionRecord
    private let partitions: Int

    /// Sessions of one page, and of one query by ids.
    static let pageMaximum = 500
    /// How long a record that is behind is waited for.
    private static let recordPatience = Duration.seconds(3)
    /// A device that was cut every second for a day would not come so far.
    private static let chainMaximum = 100_000

    init(redis: LedgerReader, record: PostgresSessionRecord) async throws {
        self.redis = redis
        self.record = record
        guard let partitions = try await redis.partitions() else {
            throw CommandError("that Redis holds no fleet of this key prefix; see EARSHOT_REDIS_URL")
        }
        self.partitions = partitions
    }

    /// The accounts of a session and of all that it continues and that continue it, in order.
    func chain(of id: String) async throws -> [SessionAccount] {
        var ids = [id]
        var first = try await facts(of: [id])[0]
        guard first.facts.registry != nil || first.facts.row != nil else {
            throw CommandError("neither Redis nor Postgres knows session \(id)")
        }
        while let before = first.predecessor, !ids.contains(before), ids.count < Self.chainMaximum {
            ids.insert(before, at: 0)
            first = try await facts(of: [before])[0]
        }
        while let last = ids.last, let after = try await successor(of: last), ids.count < Self.chainMaximum {
            ids.append(after)
        }
        return try await accounts(of: ids)
    }

    /// The accounts of every session there is, page by page.
    func all(_ body: ([SessionAccount]) async throws -> Void) async throws {
        var last: String?
        repeat {
            let page = try await record.ledgerPage(after: last, limit: Self.pageMaximum)
            try await body(try await accounts(of: page))
            last = page.count == Self.pageMaximum ? page.last : nil
        } while last != nil
        // Those whose beginning the record has not had yet, or lost.
        var told: Set<String> = []
        var cursor: String? = "0"
        while let here = cursor {
            let (sessions, next) = try await redis.sessions(from: here)
            let ids = sessions.map(\.description)
            let known = try await record.ledgerFacts(of: ids)
            let unknown = ids.filter { known[$0]?.row == nil && told.insert($0).inserted }
            try await body(try await accounts(of: unknown))
            cursor = next
        }
    }

    /// The accounts of sessions.
    func accounts(of ids: [String]) async throws -> [SessionAccount] {
        var accounts: [SessionAccount] = []
        for found in try await facts(of: ids) {
            guard var account = SessionAccount(found.facts) else { continue }
            if account.unaccounted > 0 {
                account = try await lookAgain(at: account)
            }
            accounts.append(account)
        }
        return accounts
    }

    // MARK: Facts

    private struct Found {
        var facts: SessionFacts
        var predecessor: String?
        var sighting: LedgerSighting?
    }

    private func successor(of id: String) async throws -> String? {
        let known = try await sightings(of: [id])[id]?.registry?.successor?.description
        guard known == nil else { return known }
        return try await record.successor(of: id)
    }

    /// Looks at sessions in Redis; their partitions are their users', whom the record knows.
    private func sightings(of ids: [String]) async throws -> [String: LedgerSighting] {
        guard !ids.isEmpty else { return [:] }
        let users = try await record.users(ofSessions: ids)
        var places: [(session: SessionID, partition: Partition)] = []
        for id in ids {
            guard let session = SessionID(id) else { continue }
            if let user = users[id].flatMap({ UserID($0) }) {
                places.append((session, Partition(of: user, count: partitions)))
            } else if let partition = try await redis.find(session, in: partitions) {
                places.append((session, partition))
            }
        }
        var result: [String: LedgerSighting] = [:]
        for sighting in try await redis.look(at: places) { result[sighting.session.description] = sighting }
        return result
    }

    private func facts(of ids: [String], waiting isPatient: Bool = false) async throws -> [Found] {
        guard !ids.isEmpty else { return [] }
        let sightings = try await sightings(of: ids)
        var recorded: Set<String> = []
        for (id, sighting) in sightings {
            if sighting.isRecorded {
                recorded.insert(id)
            } else if isPatient, try await waitUntilRecorded(sighting) {
                recorded.insert(id)
            }
        }
        // The record is read behind Redis.
        let known = try await record.ledgerFacts(of: ids)
        let predecessors = sightings.values.compactMap { $0.registry?.predecessor?.description }
        let before = try await self.sightings(of: predecessors)
        return ids.map { id in
            var facts = known[id] ?? SessionFacts(session: id)
            let sighting = sightings[id]
            let predecessor = sighting?.registry?.predecessor?.description ?? facts.row?.predecessor
            facts.registry = sighting?.registry
            facts.predecessorEnd = predecessor.flatMap { before[$0]?.registry?.end }
            facts.isRecordBehind = sighting != nil && !recorded.contains(id)
            return Found(facts: facts, predecessor: predecessor, sighting: sighting)
        }
    }

    private func waitUntilRecorded(_ sighting: LedgerSighting) async throws -> Bool {
        let deadline = ContinuousClock.now + Self.recordPatience
        while ContinuousClock.now < deadline {
            if try await redis.isRecorded(sighting) { return true }
            try await ContinuousClock().sleep(for: .milliseconds(100))
        }
        return false
    }

    /// A second look at who seems to have lost something: with the dead letters, behind the record.
    private func lookAgain(at account: SessionAccount) async throws -> SessionAccount {
        guard var found = try await facts(of: [account.session], waiting: true).first,
            let session = SessionID(account.session)
        else { return account }
        if let sighting = found.sighting {
            let group: WorkerGroup =
                found.facts.registry?.isStorageWanted == false ? .transcript : .privateCloud
            found.facts.dead = FrameRanges(
                try await redis.deadMessages(of: session, group: group, in: sighting.partition))
        }
        return SessionAccount(found.facts) ?? account
    }
}
