import AudioStreams
import EarshotModel
import NIOCore
import Synchronization

/// Reads every event of every partition while the run goes on, past the proxy, so that what is trimmed later is known.
final class EventTap: Sendable {
    /// What was read.
    struct Log: Sendable {
        var events: [SessionEvent] = []
        var countByPartition: [Partition: Int] = [:]
        var unreadable = 0
    }

    /// What stands, not yet decoded: nothing may keep the reader from being ahead of the coordinator's trimming.
    private struct Taken {
        var payloads: [ByteBuffer] = []
        var countByPartition: [Partition: Int] = [:]
        var cursors: [Partition: StreamPosition]
    }

    private static let readCount = 1_000
    private static let pause: Duration = .milliseconds(50)
    /// How long the last events may take; what is missing then was trimmed.
    private static let catchUpMaximum: Duration = .seconds(10)

    private let view: RedisView
    private let reader: RedisStreamReader
    private let state: Mutex<Taken>

    init(_ view: RedisView, reader: RedisStreamReader) {
        self.view = view
        self.reader = reader
        state = Mutex(Taken(cursors: Dictionary(uniqueKeysWithValues: view.partitions.map { ($0, .start) })))
    }

    /// What was read so far.
    var log: Log {
        let taken = state.withLock(\.self)
        var log = Log(countByPartition: taken.countByPartition)
        for payload in taken.payloads {
            if let event = try? SessionEvent(json: payload) { log.events.append(event) } else { log.unreadable += 1 }
        }
        return log
    }

    /// Reads until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                try await read()
            } catch {
                // Redis is away: what it has by then was not trimmed meanwhile.
                try? await rest(Self.pause)
            }
        }
    }

    /// Waits until `run()` has read what stands there now.
    func catchUp() async throws {
        let added = try await view.eventsAdded().filter { $0.value > 0 }
        let deadline = ContinuousClock.now + Self.catchUpMaximum
        while ContinuousClock.now < deadline {
            let read = state.withLock(\.countByPartition)
            if added.allSatisfy({ read[$0.key, default: 0] >= $0.value }) { return }
            try await rest(Self.pause)
        }
    }

    private func read() async throws {
        let cursors = state.withLock(\.cursors)
        let batches = try await reader.read(.events, after: cursors, count: Self.readCount, block: .seconds(1))
        state.withLock { taken in
            for (partition, entries) in batches {
                taken.cursors[partition] = entries.last?.position ?? taken.cursors[partition]
                taken.countByPartition[partition, default: 0] += entries.count
                taken.payloads += entries.map(\.payload)
            }
        }
    }
}
