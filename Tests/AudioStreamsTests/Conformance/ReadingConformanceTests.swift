import AudioStreams
import EarshotModel
import NIOCore
import TestSupport
import Testing

@Suite("Hand-off: reading")
struct ReadingConformanceTests {
    private let long = Duration.seconds(60)

    @Test("Entries come in pages behind a position", arguments: Backend.allCases)
    func pages(backend: Backend) async throws {
        try await backend.run { test in
            var positions: [StreamPosition] = []
            for number in 0..<7 {
                positions.append(try await test.handOff.append(.init(integer: number), to: test.partition))
            }
            var seen: [StreamPosition] = []
            var after = StreamPosition.start
            while true {
                let page = try await test.handOff.entries(of: .audio, in: test.partition, after: after, count: 3)
                #expect(page.count <= 3)
                guard let last = page.last else { break }
                seen += page.map(\.position)
                after = last.position
            }
            #expect(seen == positions)
            #expect(try await test.handOff.entries(of: .events, in: test.partition, after: .start, count: 3).isEmpty)
        }
    }

    @Test("A read returns what is there behind each partition's cursor", arguments: Backend.ofOneServer)
    func severalPartitions(backend: Backend) async throws {
        try await backend.run { test in
            let partitions = (0..<4).map { Partition($0) }
            var first: [Partition: StreamPosition] = [:]
            for partition in partitions.dropLast() {
                first[partition] = try await test.handOff.append(.init(string: "a\(partition)"), to: partition)
                _ = try await test.handOff.append(.init(string: "b\(partition)"), to: partition)
            }
            let all = Dictionary(uniqueKeysWithValues: partitions.map { ($0, StreamPosition.start) })
            let whole = try await test.reader.read(.audio, after: all, count: 10, block: long)
            #expect(
                whole.mapValues { $0.map { String(buffer: $0.payload) } } == [
                    partitions[0]: ["ap000", "bp000"], partitions[1]: ["ap001", "bp001"],
                    partitions[2]: ["ap002", "bp002"],
                ])
            let one = try await test.reader.read(.audio, after: all, count: 1, block: long)
            #expect(one.values.allSatisfy { $0.count == 1 } && one.count == 3)
            let rest = try await test.reader.read(.audio, after: first, count: 10, block: long)
            #expect(rest.values.flatMap { $0 }.allSatisfy { String(buffer: $0.payload).hasPrefix("b") })
        }
    }

    @Test("A waiting read wakes on an append to any of its partitions", arguments: Backend.ofOneServer)
    func wakes(backend: Backend) async throws {
        try await backend.run { test in
            let cursors = [Partition(1): StreamPosition.start, Partition(2): .start]
            async let read = test.reader.read(.audio, after: cursors, count: 10, block: long)
            let position = try await test.handOff.append(.init(string: "here"), to: Partition(2))
            let entry = StreamEntry(position: position, payload: .init(string: "here"))
            #expect(try await read == [Partition(2): [entry]])
        }
    }

    @Test("A read that finds nothing returns so at the end of its block", arguments: Backend.allCases)
    func ends(backend: Backend) async throws {
        try await backend.run { test in
            let cursors = [test.partition: StreamPosition.start]
            let found = try await test.reader.read(.audio, after: cursors, count: 1, block: .milliseconds(20))
            #expect(found.isEmpty)
        }
    }

    @Test("An interruption ends a waiting read, or the next one when none waits", arguments: Backend.allCases)
    func interrupt(backend: Backend) async throws {
        try await backend.run { test in
            let cursors = [test.partition: StreamPosition.start]
            test.reader.interrupt()
            let first = await handOffError {
                _ = try await test.reader.read(.audio, after: cursors, count: 1, block: long)
            }
            #expect(first?.code == .cancelled)
            async let second = handOffError {
                _ = try await test.reader.read(.audio, after: cursors, count: 1, block: long)
            }
            test.reader.interrupt()
            #expect(await second?.code == .cancelled)
            let position = try await test.handOff.append(.init(string: "x"), to: test.partition)
            let found = try await test.reader.read(.audio, after: cursors, count: 1, block: long)
            #expect(found[test.partition]?.map(\.position) == [position])
        }
    }

    @Test("A cancelled task's read ends at once", arguments: Backend.allCases)
    func cancel(backend: Backend) async throws {
        try await backend.run { test in
            let cursors = [test.partition: StreamPosition.start]
            let error = await withTaskGroup(of: HandOffError?.self) { tasks in
                tasks.addTask {
                    await handOffError {
                        _ = try await test.reader.read(.audio, after: cursors, count: 1, block: long)
                    }
                }
                tasks.cancelAll()
                return await tasks.next() ?? nil
            }
            #expect(error?.code == .cancelled)
        }
    }

    @Test("Reading and writing at once loses no wake-up", arguments: Backend.allCases)
    func races(backend: Backend) async throws {
        try await backend.run { test in
            let count = 200
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for number in 0..<count {
                        _ = try await test.handOff.append(.init(integer: number), to: test.partition)
                    }
                }
                var cursor = StreamPosition.start
                var seen: [Int] = []
                while seen.count < count {
                    let found = try await test.reader.read(
                        .audio, after: [test.partition: cursor], count: 5, block: long)
                    for entry in found[test.partition] ?? [] {
                        cursor = entry.position
                        if let number: Int = entry.payload.getInteger(at: entry.payload.readerIndex) {
                            seen.append(number)
                        }
                    }
                }
                #expect(seen == Array(0..<count))
                try await tasks.waitForAll()
            }
        }
    }
}
