import AudioStreams
import EarshotModel
import NIOCore
import TestSupport

/// Executes what the model's store executes on a real implementation of the hand-off, and tells where they differ.
///
/// Names are translated both ways: sessions, starts, tokens and positions of the model are small numbers. Beats of
/// gateways and looks at them are for another suite.
struct HandOffTwin {
    let handOff: any HandOff
    let partition: Partition
    /// Where they differed, and when.
    private(set) var differences: [String] = []
    private(set) var executed = 0

    private var sessions: [Int: TestSession] = [:]
    private var starts: [ProcessStart: Incarnation] = [:]
    private var epochs: [Token: FencingToken] = [:]
    /// The token of each grant of a lease, by group, in the order in which the model gave them out.
    private var leases: [LeaseKey: FencingToken] = [:]
    /// The record's lease, its commits, and how many events it has passed.
    private var record: (token: FencingToken, commits: Int64, passed: Int)?
    private var positions: [Int: StreamPosition] = [0: .start]
    private var modelPositions: [StreamPosition: Int] = [.start: 0]

    private struct LeaseKey: Hashable {
        let group: Group
        let token: Token
    }

    init(handOff: any HandOff, partition: Partition) {
        self.handOff = handOff
        self.partition = partition
    }

    /// Enables the groups, and takes the record's lease.
    mutating func begin(_ store: ModelStore) async throws {
        try await handOff.enable(
            EnabledGroups(audio: store.enabled.map(Self.workerGroup), events: [.record], samples: []), in: [partition])
        let attempt = Lease.Attempt(partition: partition, owner: Incarnation(startingAs: "record"))
        let outcome = try await handOff.acquire([attempt], group: .record, stream: .events)[partition]
        if case .granted(let grant)? = outcome { record = (grant.token, 0, 0) }
    }

    /// Moves the record on to so many events; an event of the model is one of the hand-off.
    mutating func record(_ count: Int) async throws {
        guard let known = record, count > known.passed else { return }
        let events = try await handOff.entries(of: .events, in: partition, after: .start, count: count)
        guard events.count == count, let last = events.last else {
            return differences.append("the record is through \(count) events, the hand-off has \(events.count)")
        }
        record = (known.token, known.commits + 1, count)
        let outcome = try await handOff.commit(
            Commit(
                group: .record, stream: .events, partition: partition, token: known.token, number: known.commits + 1,
                position: Commit.Position(position: last.position, entriesRead: Int64(count)), lanes: []))
        if outcome != .applied { differences.append("the record's commit was \(outcome)") }
    }

    private static func workerGroup(_ group: Group) -> WorkerGroup {
        switch group {
        case .transcript: .transcript
        case .storage: .privateCloud
        case .coordinator: .coordinator
        }
    }

    private mutating func incarnation(_ start: ProcessStart) -> Incarnation {
        let known = starts[start] ?? Incarnation(startingAs: "process-\(start.name)-\(start.number)")
        starts[start] = known
        return known
    }

    private mutating func expect(_ isEqual: Bool, _ request: Request, _ reply: Reply, _ answer: Any) {
        if !isEqual { differences.append("\(request): the model says \(reply), the hand-off \(answer)") }
    }

    /// Executes a command that the store has just executed.
    ///
    /// - Parameters:
    ///   - request: the command.
    ///   - reply: the store's answer.
    ///   - before: the store as it was.
    /// - Throws: what the functions in memory throw: a difference between the two.
    mutating func execute(_ request: Request, _ reply: Reply, before: ModelStore) async throws {
        executed += 1
        switch request {
        case .register(let registration): try await register(registration, reply, before)
        case .append(let session, let first, let count):
            guard let test = sessions[session] else { return }
            learn(
                before.lastPosition + 1,
                try await handOff.append(test.entry(from: UInt64(first), count: count), to: partition))
        case .tail(let session, let epoch, _):
            guard let test = sessions[session], let token = epochs[epoch] else { return }
            let holds = try await handOff.holds(test.id, epoch: token, in: partition)
            expect(reply == .holds(holds), request, reply, holds)
        case .end(let session, let epoch, let gateway):
            try await end(session, epoch: epoch, gateway: gateway, request, reply, before)
        case .sight, .acquire, .renew, .release: try await lease(request, reply)
        case .read, .look, .commit, .trim: try await work(request, reply)
        case .settle(let conversation, let times, let isTimedOut, let token):
            try await settle(conversation, times, isTimedOut, token, request, reply, before)
        case .last(let session, let epoch, let count):
            // The model counts what was acknowledged, the product names the last one.
            guard count > 0, let test = sessions[session], let token = epochs[epoch] else { return }
            let isNoted = try await handOff.note(
                test.id, epoch: token, last: UInt64(count - 1), capture: TestSession.epoch, in: partition)
            expect(reply == .holds(isNoted), request, reply, isNoted)
        case .join, .beat, .observe: break
        }
    }

    private mutating func learn(_ position: Int, _ real: StreamPosition) {
        positions[position] = real
        modelPositions[real] = position
    }

    // MARK: Sessions

    private mutating func register(_ registration: Registration, _ reply: Reply, _ before: ModelStore) async throws {
        let known = before.sessions[registration.session]
        let predecessor = known.map(\.predecessor) ?? (registration.resumes ? before.latest[registration.device] : nil)
        let gateway = incarnation(registration.gateway)
        let test =
            sessions[registration.session] ?? TestSession(user: "device-\(registration.device)", gateway: gateway)
        sessions[registration.session] = test
        var request = test.registration()
        request.nonce = UInt64(registration.nonce)
        request.boundConversation = bound(registration, before)
        request.predecessor = predecessor.flatMap { sessions[$0]?.id }
        request.first = UInt64(registration.first)
        let grant = try await handOff.register(request, in: partition)
        guard case .granted(let expected) = reply else { return expect(false, .register(registration), reply, grant) }
        epochs[expected.epoch] = grant.epoch
        // A conversation is named by the session that opened it.
        let joined = sessions[expected.conversation].map { conversationName($0) }
        expect(
            grant.conversation == joined && grant.from == UInt64(expected.from)
                && grant.isResumed == (predecessor != nil), .register(registration), reply, grant)
        guard known == nil, let old = predecessor.flatMap({ before.sessions[$0] }), old.end == nil,
            let ended = sessions[old.id]?.id
        else { return }
        // It took a live session over, whose marker stands in the stream now.
        let end = try await handOff.session(ended, group: .transcript, in: partition)?.end
        guard let end else { return expect(false, .register(registration), reply, "the predecessor has no end") }
        learn(before.lastPosition + 1, end)
    }

    /// The name of the conversation that a session begins; the others join one.
    private func bound(_ registration: Registration, _ before: ModelStore) -> String? {
        let resumed = registration.resumes ? before.latest[registration.device] : nil
        guard resumed == nil, before.openConversation[registration.device] == nil else { return nil }
        return sessions[registration.session].map(conversationName)
    }

    private func conversationName(_ session: TestSession) -> String { "conversation-of-\(session.id)" }

    private mutating func end(
        _ session: Int, epoch: Token?, gateway: ProcessStart, _ request: Request, _ reply: Reply, _ before: ModelStore
    ) async throws {
        guard let test = sessions[session] else { return }
        let outcome = try await handOff.end(
            test.ending(epoch: epoch.flatMap { epochs[$0] }, gateway: incarnation(gateway)), in: partition)
        switch (outcome, reply) {
        case (.ended(let position), .ended(.ended(let expected))): learn(expected, position)
        case (.alreadyEnded(let position), .ended(.alreadyEnded(let expected))):
            expect(positions[expected] == position, request, reply, outcome)
        case (.fenced, .ended(.fenced)), (.unknown, .ended(.unknown)): break
        default: expect(false, request, reply, outcome)
        }
    }

    private mutating func settle(
        _ conversation: Int, _ times: Int, _ isTimedOut: Bool, _ token: Token, _ request: Request, _ reply: Reply,
        _ before: ModelStore
    ) async throws {
        guard let known = before.conversations[conversation], let last = known.sessions.last,
            let test = sessions[last], let named = sessions[conversation],
            let lease = leases[LeaseKey(group: .coordinator, token: token)]
        else { return }
        let outcome = try await handOff.settle(
            OpenConversation(id: conversationName(named), user: test.user, session: test.id), times: UInt64(times),
            in: partition, now: isTimedOut ? TestSession.epoch * 2 : TestSession.epoch, token: lease)
        let expected: ConversationSettlement? =
            if case .settled(let settlement) = reply { Self.translate(settlement) } else { nil }
        expect(expected == outcome, request, reply, outcome)
    }

    private static func translate(_ settlement: Settlement) -> ConversationSettlement {
        switch settlement {
        case .open: .open
        case .waiting: .waiting
        case .completed: .completed
        case .alreadyCompleted: .alreadyCompleted
        case .completedBefore(let times): .completedBefore(times: UInt64(times))
        case .fenced: .fenced
        }
    }

    // MARK: Leases

    private mutating func lease(_ request: Request, _ reply: Reply) async throws {
        switch request {
        case .sight(let group):
            let seen = try await handOff.sightings(of: [partition], group: Self.workerGroup(group))[partition]
            guard case .sighting(let expected) = reply else { return }
            let token = expected.flatMap { leases[LeaseKey(group: group, token: $0.token)] }
            expect(
                seen?.token == token && seen.map { Int($0.beat) } == expected?.beat
                    && seen?.isReleased == expected?.isReleased, request, reply, seen as Any)
        case .acquire(let group, let owner, _, let lapsed):
            let seen = lapsed.map { sighting in
                Lease.Sighting(
                    token: leases[LeaseKey(group: group, token: sighting.token)] ?? FencingToken("?"),
                    beat: Int64(sighting.beat), owner: "", isReleased: false)
            }
            let attempt = Lease.Attempt(partition: partition, owner: incarnation(owner), lapsed: seen)
            let outcome = try await handOff.acquire(
                [attempt], group: Self.workerGroup(group), stream: group == .coordinator ? nil : .audio)[partition]
            switch (outcome, reply) {
            case (.granted(let grant)?, .leased(let expected?)):
                leases[LeaseKey(group: group, token: expected.token)] = grant.token
                guard group != .coordinator else { return }
                expect(
                    modelPositions[grant.position] == expected.position.position
                        && grant.entriesRead == Int64(expected.position.read), request, reply, grant)
            case (.held?, .leased(nil)): break
            default: expect(false, request, reply, outcome as Any)
            }
        case .renew(let group, let token):
            guard let real = leases[LeaseKey(group: group, token: token)] else { return }
            let kept = try await handOff.renew([partition: real], group: Self.workerGroup(group))
            expect(reply == .renewed(kept.contains(partition)), request, reply, kept)
        case .release(let group, let token):
            guard let real = leases[LeaseKey(group: group, token: token)] else { return }
            try await handOff.release(real, group: Self.workerGroup(group), partition: partition)
        default: break
        }
    }

    // MARK: Work

    private mutating func work(_ request: Request, _ reply: Reply) async throws {
        switch request {
        case .read(_, _, let after, let count):
            guard let position = positions[after] else { return expect(false, request, reply, "an unknown position") }
            let found = try await handOff.entries(of: .audio, in: partition, after: position, count: count)
            guard case .entries(let expected) = reply else { return }
            let isEqual = try found.map(translate) == expected.map(Self.withoutMarkerNumbers)
            expect(isEqual, request, reply, found)
        case .look(let session, let group, _):
            guard let test = sessions[session], case .session(let expected, _) = reply else { return }
            let known = try await handOff.session(test.id, group: Self.workerGroup(group), in: partition)
            let progress = expected?.progress[group.rawValue]
            expect(
                (known == nil) == (expected == nil) && known?.end == expected?.end.flatMap { positions[$0] }
                    && known.map { $0.progress.next } == progress.map { UInt64($0.next) }
                    && known?.progress.isDone == progress?.isDone
                    && known.map { $0.progress.ordinal } == progress.map { UInt64($0.ordinal) }
                    && known?.isCompleted == expected?.isCompleted, request, reply, known as Any)
        case .commit(let commit): try await self.commit(commit, request, reply)
        case .trim(let token, _):
            guard let lease = leases[LeaseKey(group: .coordinator, token: token)],
                case .trimmed(let expected) = reply
            else { return }
            let removed = try await handOff.trim(.audio, in: partition, token: lease, group: .coordinator)
            expect(removed == Int64(expected ?? -1), request, reply, removed)
        default: break
        }
    }

    /// A marker's own numbers are the gateway's, which the model does not copy.
    private static func withoutMarkerNumbers(_ entry: ModelStore.Entry) -> ModelStore.Entry {
        guard entry.isMarker else { return entry }
        return ModelStore.Entry(
            position: entry.position, session: entry.session, first: 0, count: 0, isMarker: true)
    }

    private func translate(_ entry: StreamEntry) throws -> ModelStore.Entry {
        let audio = try AudioEntry(decoding: entry.payload)
        let session = sessions.first { $0.value.id == audio.session }?.key ?? -1
        var isMarker = false
        if case .end = audio.content { isMarker = true }
        let position = modelPositions[entry.position] ?? -1
        return ModelStore.Entry(
            position: position, session: session, first: isMarker ? 0 : Int(audio.firstSequence),
            count: audio.frames.count, isMarker: isMarker)
    }

    private mutating func commit(_ commit: ModelCommit, _ request: Request, _ reply: Reply) async throws {
        guard let token = leases[LeaseKey(group: commit.group, token: commit.token)],
            let position = positions[commit.position.position]
        else { return expect(false, request, reply, "an unknown token or position") }
        let lanes = commit.lanes.map { lane in
            Commit.Lane(
                session: sessions[lane.session]?.id,
                progress: LaneProgress(
                    next: UInt64(lane.progress.next), ordinal: UInt64(lane.progress.ordinal),
                    isDone: lane.progress.isDone), events: lane.outputs.map { _ in "{}" })
        }
        let outcome = try await handOff.commit(
            Commit(
                group: Self.workerGroup(commit.group), stream: .audio, partition: partition, token: token,
                number: Int64(commit.number),
                position: Commit.Position(position: position, entriesRead: Int64(commit.position.read)), lanes: lanes))
        let expected: Commit.Outcome? =
            switch reply {
            case .committed(.applied): .applied
            case .committed(.repeated): .repeated
            case .committed(.fenced): .fenced
            case .committed(.outOfOrder): .outOfOrder
            default: nil
            }
        expect(expected == outcome, request, reply, outcome)
    }
}
