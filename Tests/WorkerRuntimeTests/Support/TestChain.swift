import AudioStreams
import EarshotModel
import NIOCore
import TestSupport

/// A device of a test that resumes: each connection is a session of its own, and its frames are numbered through.
struct TestChain: Sendable {
    let partition: Partition
    private let handOff: any HandOff
    private let user: String
    private(set) var sessions: [TestSession]
    private(set) var epochs: [FencingToken]
    /// The number of the next frame the device has never sent.
    private(set) var sent: UInt64 = 0

    /// Registers the first session of a user.
    init(_ fixture: RuntimeFixture, user: String, flags: WorkerFlags = .transcript) async throws {
        handOff = fixture.handOff
        self.user = user
        let first = TestSession(user: user)
        partition = Partition(of: first.user, count: fixture.partitions)
        sessions = [first]
        var request = first.registration()
        request.parameters.flags = flags.union(.numbered)
        epochs = [try await handOff.register(request, in: partition).epoch]
    }

    /// The session of the last connection.
    var current: TestSession { sessions[sessions.count - 1] }

    /// Appends frames of a session, as its gateway does, in entries of two; the last session's by default.
    mutating func send(
        _ range: Range<UInt64>, of index: Int? = nil, flags: WorkerFlags = .transcript
    ) async throws {
        let session = sessions[index ?? sessions.count - 1]
        for first in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
            let count = Int(min(2, range.upperBound - first))
            _ = try await handOff.append(session.entry(from: first, count: count, flags: flags), to: partition)
        }
        sent = max(sent, range.upperBound)
    }

    /// Notes what was acknowledged to the device.
    func note(_ last: UInt64) async throws {
        try await handOff.note(
            current.id, epoch: epochs[epochs.count - 1], last: last, capture: current.startedAt, in: partition)
    }

    /// Connects again, and returns the number from which to send.
    mutating func resume(first: UInt64 = 0) async throws -> UInt64 {
        let next = TestSession(user: user)
        var request = next.resuming(current.id, first: first)
        request.parameters.flags.insert(.numbered)
        let grant = try await handOff.register(request, in: partition)
        guard grant.isResumed else { throw Unexpected("no resume: \(grant)") }
        sessions.append(next)
        epochs.append(grant.epoch)
        return grant.from
    }

    func end() async throws {
        _ = try await handOff.end(current.ending(epoch: epochs[epochs.count - 1]), in: partition)
    }

    /// Notes all frames from 0 on under the first session.
    func note(in ledger: inout ByteLedger) { ledger.note(sessions[0].id, (0..<sent).map { TestSession.frame($0) }) }

    /// The chain's events as if all were one session's: each session's bytes follow those of the one before it.
    func joined(_ events: [ByteEvent]) -> [ByteEvent] {
        var base: UInt64 = 0
        return sessions.enumerated().flatMap { index, session in
            let own = events.filter { $0.session == session.id }
            defer { base += own.last?.to ?? 0 }
            return own.map { event in
                var event = event
                event.session = sessions[0].id
                (event.from, event.to) = (event.from + base, event.to + base)
                event.isEnd = event.isEnd && index == sessions.count - 1
                return event
            }
        }
    }

    /// Whether no event of a session stands before the end of the one before it.
    func isInOrder(_ events: [ByteEvent]) -> Bool {
        let places = events.compactMap { event in sessions.firstIndex { $0.id == event.session } }
        return places == places.sorted()
    }
}
