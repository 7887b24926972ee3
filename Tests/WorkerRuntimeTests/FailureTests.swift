import AudioStreams
import EarshotModel
import NIOCore
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: failures", .timeLimit(.minutes(2)))
struct FailureTests {
    /// A frame that a factory of this suite refuses.
    private static let bad = ByteBuffer(string: "bad frame")

    private func deadLetters(_ fixture: RuntimeFixture, _ partition: Partition) -> [Commit.DeadLetter] {
        (fixture.handOff as? InMemoryHandOff)?.deadLetters(of: fixture.group, in: partition) ?? []
    }

    @Test("An entry that always fails is tried, buried with its reason, and costs nobody else anything")
    func buried() async throws {
        try await RuntimeFixture.with(.memory, partitions: 1) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            var neighbour = try await TestDevice(fixture, user: "u2")
            for _ in 0..<6 { try await device.send(3, noting: &ledger) }
            var discarded = ByteLedger()
            let position = try await device.send([Self.bad], noting: &discarded)
            for _ in 0..<6 { try await device.send(3, noting: &ledger) }
            try await neighbour.send(5, noting: &ledger)
            for device in [device, neighbour] { try await device.end() }
            let attempts = Mutex(0)
            let factory = ByteCounter.Factory(bytesPerEvent: 40) { _, frame in
                guard frame.bytes == Self.bad else { return }
                attempts.withLock { $0 += 1 }
                throw LaneFailure.entry("it is bad")
            }
            try await fixture.withWorker(factory: factory) { worker in
                let events = try await fixture.until("both ends") { $0.count(where: \.isEnd) == 2 }
                #expect(ledger.violations(in: events).isEmpty)
                let letters = deadLetters(fixture, device.partition)
                #expect(letters.map(\.entry.position) == [position])
                #expect(letters.first?.reason.contains("failed 3 times") == true)
                // Once among others, then alone.
                #expect(attempts.withLock(\.self) == 4)
                #expect(worker.count("dead_letters") == 1)
                try await fixture.untilDrained()
            }
            let known = try await fixture.handOff.session(device.id, group: fixture.group, in: device.partition)
            // The lane's count of events went on over the burial.
            let count = try await fixture.events().count { $0.session == device.id }
            #expect(known?.progress.ordinal == UInt64(count))
        }
    }

    @Test("An entry that fails and then works is had once", arguments: Store.allCases)
    func retried(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            for _ in 0..<3 { try await device.send(3, noting: &ledger) }
            try await device.send([Self.bad], noting: &ledger)
            for _ in 0..<3 { try await device.send(3, noting: &ledger) }
            try await device.end()
            let failures = Mutex(0)
            let factory = ByteCounter.Factory(bytesPerEvent: 30) { _, frame in
                guard frame.bytes == Self.bad,
                    failures.withLock({
                        $0 += 1
                        return $0 <= 2
                    })
                else { return }
                throw Unexpected("not yet")
            }
            try await fixture.withWorker(factory: factory) { worker in
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(worker.count("entries.failed") == 2 && worker.count("dead_letters") == 0)
            }
        }
    }

    @Test("A session whose end always fails is ended all the same, with what came before it")
    func badEnd() async throws {
        try await RuntimeFixture.with(.memory, partitions: 1) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            try await device.send(5, noting: &ledger)
            try await device.end()
            let factory = ByteCounter.Factory(bytesPerEvent: .max) { _, _ in
            } onCall: { _, call in
                if call == "finish" { throw Unexpected("it cannot end") }
            }
            try await fixture.withWorker(factory: factory) { _ in
                try await fixture.untilDrained()
                #expect(ledger.violations(in: try await fixture.events()).isEmpty)
                #expect(deadLetters(fixture, device.partition).count == 1)
                let known = try await fixture.handOff.session(device.id, group: fixture.group, in: device.partition)
                #expect(known?.isCompleted == true)
            }
        }
    }

    @Test("What cannot be decoded is buried with the reason and passed")
    func undecodable() async throws {
        try await RuntimeFixture.with(.memory, partitions: 1) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            try await device.send(2, noting: &ledger)
            for garbage in ["", "\u{7}", "not an entry at all, but long enough to be one of its headers, that is sure"]
            {
                _ = try await fixture.handOff.append(ByteBuffer(string: garbage), to: device.partition)
            }
            try await device.send(2, noting: &ledger)
            try await device.end()
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 10)) { _ in
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(ledger.violations(in: events).isEmpty)
                try await fixture.untilDrained()
                let letters = deadLetters(fixture, device.partition)
                #expect(letters.count == 3 && letters.allSatisfy { $0.reason.hasPrefix("undecodable") })
            }
        }
    }

    @Test("The hand-off away for a while costs nothing")
    func unavailable() async throws {
        try await RuntimeFixture.with(.memory) { fixture in
            let memory = try #require(fixture.handOff as? InMemoryHandOff)
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<6 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            let isAway = Mutex(false)
            let factory = ByteCounter.Factory(bytesPerEvent: 50) { _, frame in
                // In the middle of the work, from inside it.
                guard frame.sequence == 10,
                    isAway.withLock({ wasAway in
                        defer { wasAway = true }
                        return !wasAway
                    })
                else { return }
                memory.setAvailable(false)
            }
            try await fixture.withWorker(factory: factory) { _ in
                for index in devices.indices {
                    for _ in 0..<10 { try await devices[index].send(2, noting: &ledger) }
                }
                for device in devices { try await device.end() }
                try await eventually("it goes away", isTrue: { isAway.withLock(\.self) })
                memory.setAvailable(true)
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == devices.count }
                #expect(ledger.violations(in: events).isEmpty)
            }
        }
    }

    @Test("Another server with the same data: leases and lanes are taken again and nothing is doubled")
    func anotherServer() async throws {
        try await RuntimeFixture.with(.memory) { fixture in
            let memory = try #require(fixture.handOff as? InMemoryHandOff)
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<6 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 50)) { worker in
                for round in 0..<30 {
                    for index in devices.indices { try await devices[index].send(2, noting: &ledger) }
                    guard round % 10 == 5 else { continue }
                    let before = worker.count("leases.taken")
                    memory.changeServer()
                    try await eventually("leases are taken again", isTrue: { worker.count("leases.taken") > before })
                }
                for device in devices { try await device.end() }
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == devices.count }
                #expect(ledger.violations(in: events).isEmpty)
            }
        }
    }
}

/// Something a test relies on and did not get.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
