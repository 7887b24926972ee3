import AudioStreams
import EarshotModel
import NIOCore
import TestSupport

/// A device of a test, with its gateway: sends known frames in entries.
struct TestDevice: Sendable {
    let session: TestSession
    let partition: Partition
    let epoch: FencingToken
    private let handOff: any HandOff
    private(set) var sent: UInt64 = 0

    /// Registers a session of a user.
    init(_ fixture: RuntimeFixture, user: String) async throws {
        try await self.init(fixture.handOff, user: user, partitions: fixture.partitions)
    }

    init(_ handOff: any HandOff, user: String, partitions: Int) async throws {
        session = TestSession(user: user)
        partition = Partition(of: session.user, count: partitions)
        self.handOff = handOff
        epoch = try await handOff.register(session.registration(), in: partition).epoch
    }

    var id: SessionID { session.id }

    /// Appends the next frames in one entry, and notes them.
    @discardableResult
    mutating func send(_ count: Int, noting ledger: inout ByteLedger) async throws -> StreamPosition {
        let frames = (sent..<sent + UInt64(count)).map { TestSession.frame($0) }
        return try await send(frames, noting: &ledger)
    }

    @discardableResult
    mutating func send(_ frames: [ByteBuffer], noting ledger: inout ByteLedger) async throws -> StreamPosition {
        let position = try await append(from: sent, frames)
        ledger.note(id, frames)
        sent += UInt64(frames.count)
        return position
    }

    /// Appends without counting: repetitions, and what comes too late.
    @discardableResult
    func append(from first: UInt64, count: Int) async throws -> StreamPosition {
        try await append(from: first, (first..<first + UInt64(count)).map { TestSession.frame($0) })
    }

    private func append(from first: UInt64, _ frames: [ByteBuffer]) async throws -> StreamPosition {
        try await handOff.append(session.entry(from: first, frames), to: partition)
    }

    /// Leaves frames out.
    mutating func skip(_ count: Int) { sent += UInt64(count) }

    @discardableResult
    func end() async throws -> SessionEnding.Outcome {
        try await handOff.end(session.ending(epoch: epoch, frames: sent), in: partition)
    }
}
