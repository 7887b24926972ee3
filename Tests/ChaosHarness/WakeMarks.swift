import EarshotModel
import RedisClient
import Synchronization

/// Appends marks to a stream that nobody else reads, and waits for them on another connection, as a poller does.
///
/// A wake lasts from the answer to the append, which Redis gives once the mark is on its disk, until the poller has it.
struct WakeMarks: Sendable {
    private static let key = "chaos:wakes"
    private static let interval: Duration = .milliseconds(25)
    private static let block: Duration = .seconds(1)

    let client: RedisClient
    let reader: RedisBlockingReader
    /// Told of each wake: when, and how long after the answer, in µs.
    let onWake: @Sendable (_ woken: Int64, _ late: Int64) -> Void

    private final class Book: Sendable {
        let answered = Mutex<[String: Int64]>([:])
        let arrived = Mutex<[String: Int64]>([:])
    }

    /// Runs until it is cancelled.
    func run() async throws {
        let book = Book()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await append(book) }
            group.addTask { try await wait(book) }
            try await group.waitForAll()
        }
    }

    private func append(_ book: Book) async throws {
        while !Task.isCancelled {
            let reply = try await client.execute(
                RedisCommand("XADD", .init(Self.key), "MAXLEN", "100", "*", "m", "1"))
            if let id = reply.string {
                book.answered.withLock { $0[id] = WallClock.microseconds }
                match(id, book)
            }
            try await rest(Self.interval)
        }
    }

    private func wait(_ book: Book) async throws {
        var cursor = "$"
        while !Task.isCancelled {
            let command = RedisCommand(
                "XREAD", "BLOCK", .init(Self.block.milliseconds), "STREAMS", .init(Self.key), .init(cursor))
            let reply = try await reader.execute(command, timeout: Self.block * 10)
            let woken = WallClock.microseconds
            for entry in reply.array?.first?.array?.last?.array ?? [] {
                guard let id = entry.array?.first?.string else { continue }
                cursor = id
                book.arrived.withLock { $0[id] = woken }
                match(id, book)
            }
        }
    }

    /// The answer and the mark come on two connections, in either order.
    private func match(_ id: String, _ book: Book) {
        guard let answered = book.answered.withLock({ $0[id] }),
            let woken = book.arrived.withLock({ arrived in
                defer { if arrived[id] != nil { arrived[id] = nil } }
                return arrived[id]
            })
        else { return }
        book.answered.withLock { $0[id] = nil }
        onWake(woken, max(0, woken - answered))
    }
}
