import AudioStreams
import EarshotModel
import NIOCore
import RedisClient
import Synchronization

/// Reads every event of every partition while the run goes on, past the proxy, so that what is trimmed later is known.
final class EventTap: Sendable {
    /// What was read.
    struct Log: Sendable {
        var events: [SessionEvent] = []
        var countByPartition: [Partition: Int] = [:]
        var unreadable = 0
        fileprivate var cursors: [Partition: String] = [:]
    }

    /// Often enough to be ahead of the coordinator, which trims every second.
    private static let interval: Duration = .milliseconds(150)
    private static let readCount = 1_000

    private let view: RedisView
    private let state = Mutex(Log())

    init(_ view: RedisView) { self.view = view }

    /// What was read so far.
    var log: Log { state.withLock(\.self) }

    /// Reads until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            _ = try? await read()
            try? await rest(Self.interval)
        }
    }

    /// Reads until nothing is left.
    func catchUp() async throws {
        while try await read() > 0 {}
    }

    private func read() async throws -> Int {
        let cursors = state.withLock(\.cursors)
        let names = view.partitions.map { view.keys.events($0) }
        let arguments: [RedisArgument] =
            ["COUNT", .init(Self.readCount), "STREAMS"] + names.map { .init($0) }
            + view.partitions.map { .init(cursors[$0] ?? "0") }
        let reply = try await view.client.execute(RedisCommand("XREAD", arguments: arguments).retriable())
        let partitions = Dictionary(uniqueKeysWithValues: zip(names, view.partitions))
        var count = 0
        for stream in reply.array ?? [] {
            guard let parts = stream.array, parts.count == 2, let name = parts[0].string,
                let partition = partitions[name]
            else { continue }
            for entry in parts[1].array ?? [] {
                take(entry, partition)
                count += 1
            }
        }
        return count
    }

    private func take(_ entry: RESPValue, _ partition: Partition) {
        guard let parts = entry.array, parts.count == 2, let id = parts[0].string, let position = StreamPosition(id)
        else { return }
        let payload = parts[1].array?.dropFirst().first?.bytes
        let event = payload.flatMap { try? SessionEvent(json: $0) }
        state.withLock { log in
            // A second reader (the last catch-up) may have been here.
            if let last = log.cursors[partition].flatMap({ StreamPosition($0) }), position <= last { return }
            log.cursors[partition] = id
            log.countByPartition[partition, default: 0] += 1
            if let event { log.events.append(event) } else { log.unreadable += 1 }
        }
    }
}
