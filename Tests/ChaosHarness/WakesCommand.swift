import ArgumentParser
import AudioStreams
import EarshotModel
import Foundation
import Logging
import NIOPosix
import RedisClient

/// `earshot-chaos wakes`: waits for audio as a worker does, in a process of its own, and writes how late it woke.
///
/// A line for each time that it had been waiting when an entry came: `entry`, the time, and how long after the entry's,
/// both in µs. The entry's time is Redis's, in whole milliseconds, so that it says up to 1 ms too much, never too
/// little, and before Redis tells anybody of the entry it writes it to disk. So there are also lines of `answer`, of
/// marks that it appends itself: how long after the answer to the append (`WakeMarks`).
struct WakesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wakes", abstract: "Waits for entries and writes how late it woke; a part of `disconnect`.",
        shouldDisplay: false)

    @Option(help: "Where Redis is on this machine.")
    var port: Int

    func run() async throws {
        let configuration = RedisConfiguration(host: "127.0.0.1", port: port)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let logger = Logger(label: "wakes") { _ in SwiftLogNoOpLogHandler() }
        let client = RedisClient(configuration, eventLoop: loop, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            let view = try await RedisView(client: client)
            let reader = RedisStreamReader(
                reader: RedisBlockingReader(configuration, eventLoop: loop, logger: logger), keys: view.keys)
            let marks = WakeMarks(
                client: client, reader: RedisBlockingReader(configuration, eventLoop: loop, logger: logger)
            ) { Self.write("answer", $0, late: $1) }
            group.addTask { try await marks.run() }
            try await watch(reader, view.partitions)
        }
    }

    private static func write(_ kind: String, _ woken: Int64, late: Int64) {
        FileHandle.standardOutput.write(Data("\(kind) \(woken) \(late)\n".utf8))
    }

    private func watch(_ reader: RedisStreamReader, _ partitions: [Partition]) async throws {
        let limits = Limits()
        let now = StreamPosition(milliseconds: UInt64(WallClock.microseconds / 1_000), sequence: 0)
        var cursors = Dictionary(uniqueKeysWithValues: partitions.map { ($0, now) })
        while !Task.isCancelled {
            let began = WallClock.microseconds
            let batches = try await reader.read(
                .audio, after: cursors, count: limits.readCount, block: limits.readBlock)
            let woken = WallClock.microseconds
            var oldest = Int64.max
            for (partition, entries) in batches {
                if let first = entries.first { oldest = min(oldest, Int64(first.position.milliseconds) * 1_000) }
                if let last = entries.last { cursors[partition] = last.position }
            }
            // What was there before it began to wait wakes nobody.
            guard oldest < .max, oldest > began else { continue }
            Self.write("entry", woken, late: woken - oldest)
        }
    }
}
