import AudioStreams
import EarshotModel
import NIOCore
import Synchronization
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: lanes", .timeLimit(.minutes(2)))
struct LaneTests {
    /// Refuses frames of one session until it is opened.
    private final class Barrier: Sendable {
        private let isOpen = Mutex(false)

        func open() { isOpen.withLock { $0 = true } }

        func pass() throws {
            guard isOpen.withLock({ $0 }) else { throw LaneFailure.dependency(name: "test", reason: "closed") }
        }
    }

    @Test("Each session's bytes come out once and in order, and the sessions complete", arguments: Store.allCases)
    func order(store: Store) async throws {
        try await RuntimeFixture.with(store) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<12 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 100)) { worker in
                for round in 0..<20 {
                    for index in devices.indices {
                        try await devices[index].send(1 + (round + index) % 4, noting: &ledger)
                    }
                }
                for device in devices { try await device.end() }
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == devices.count }
                #expect(ledger.violations(in: events).isEmpty)
                try await fixture.untilDrained()
                #expect(worker.count("gaps") == 0 && worker.count("dead_letters") == 0)
            }
            for device in devices {
                let known = try await fixture.handOff.session(device.id, group: fixture.group, in: device.partition)
                #expect(known?.isCompleted == true && known?.progress.next == device.sent)
            }
        }
    }

    @Test(
        "A lane that waits stops no neighbour, drops what it cannot keep and loses nothing", arguments: Store.allCases)
    func independence(store: Store) async throws {
        var limits = RuntimeFixture.limits
        limits.waitingLaneEntriesMaximum = 4
        limits.laneInboxEntriesMaximum = 8
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            var ledger = ByteLedger()
            var blocked = try await TestDevice(fixture, user: "blocked")
            var others: [TestDevice] = []
            for number in 0..<3 { others.append(try await TestDevice(fixture, user: "user\(number)")) }
            let barrier = Barrier()
            let id = blocked.id
            let factory = ByteCounter.Factory(bytesPerEvent: 60) { session, _ in
                if session == id { try barrier.pass() }
            }
            try await fixture.withWorker(factory: factory) { worker in
                for _ in 0..<40 {
                    try await blocked.send(2, noting: &ledger)
                    for index in others.indices { try await others[index].send(1, noting: &ledger) }
                }
                for device in [blocked] + others { try await device.end() }
                let before = try await fixture.until("the neighbours' ends") { $0.count(where: \.isEnd) == 3 }
                #expect(!before.contains { $0.session == id })
                barrier.open()
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == 4 }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(worker.count("lanes.reread") > 0)
                try await fixture.untilDrained()
            }
        }
    }

    @Test("Repeated, overlapping and late entries change nothing", arguments: Store.allCases)
    func duplicates(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            try await device.send(5, noting: &ledger)
            try await device.append(from: 0, count: 5)
            try await device.send(3, noting: &ledger)
            try await device.append(from: 3, count: 3)
            try await device.append(from: 6, count: 4)
            ledger.note(device.id, [TestSession.frame(8), TestSession.frame(9)])
            device.skip(2)
            try await device.send(1, noting: &ledger)
            try await device.end()
            try await device.append(from: 11, count: 2)
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 40)) { worker in
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                try await device.append(from: 13, count: 2)
                try await fixture.untilDrained()
                #expect(ledger.violations(in: events).isEmpty)
                #expect(try await fixture.events() == events)
                #expect(worker.count("entries.duplicate") == 2 && worker.count("entries.late") == 2)
                #expect(worker.count("gaps") == 0)
            }
        }
    }

    @Test("A repetition of what was committed before the last pause holds nothing back", arguments: Store.allCases)
    func quietDuplicate(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 1)) { _ in
                try await device.send(5, noting: &ledger)
                try await fixture.untilDrained()
                try await device.append(from: 0, count: 5)
                try await fixture.untilDrained()
            }
        }
    }

    @Test("Missing frames are counted and the lane goes on", arguments: Store.allCases)
    func gap(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            try await device.send(5, noting: &ledger)
            device.skip(4)
            try await device.send(5, noting: &ledger)
            try await device.end()
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 40)) { worker in
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(worker.count("gaps") == 1)
            }
        }
    }

    @Test("A quiet lane is told so, and commits what it holds", arguments: Store.allCases)
    func idle(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            let calls = Mutex<[String]>([])
            let factory = ByteCounter.Factory(bytesPerEvent: .max) { _, _ in
            } onCall: { _, call in
                calls.withLock { $0.append(call) }
            }
            try await fixture.withWorker(factory: factory) { _ in
                try await device.send(5, noting: &ledger)
                let events = try await fixture.until("an event") { !$0.isEmpty }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(calls.withLock(\.self) == ["idle"])
                try await fixture.untilDrained()
            }
        }
    }

    @Test("A lane that failed when it was told that all is quiet is told again", arguments: Store.allCases)
    func idleAgain(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            let calls = Mutex(0)
            let factory = ByteCounter.Factory(bytesPerEvent: .max) { _, _ in
            } onCall: { _, call in
                let count = calls.withLock { calls in
                    if call == "idle" { calls += 1 }
                    return calls
                }
                if count < 3 { throw LaneFailure.dependency(name: "test", reason: "away for a while") }
            }
            try await fixture.withWorker(factory: factory) { _ in
                try await device.send(5, noting: &ledger)
                let events = try await fixture.until("an event") { !$0.isEmpty }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(calls.withLock(\.self) == 3)
                try await fixture.untilDrained()
            }
        }
    }

    @Test("A lane quiet for long is closed, and opens again from its commit", arguments: Store.allCases)
    func reopen(store: Store) async throws {
        var limits = RuntimeFixture.limits
        limits.laneClose = .milliseconds(250)
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            var ledger = ByteLedger()
            var device = try await TestDevice(fixture, user: "u1")
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: .max)) { worker in
                for round in 1...4 {
                    try await device.send(5, noting: &ledger)
                    let expected = ledger.count(device.id)
                    _ = try await fixture.until("round \(round)") { $0.last?.to == expected }
                    if round % 2 == 0 {
                        try await eventually(
                            "the lane is closed", isTrue: { worker.metrics.gauge("worker.lanes") == 0 })
                    }
                }
                try await device.end()
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(ledger.violations(in: events).isEmpty)
                #expect(worker.count("lanes.opened") >= 2)
            }
        }
    }

    @Test("Over the memory bound the lanes that hold most are told to cut", arguments: Store.allCases)
    func relief(store: Store) async throws {
        var limits = RuntimeFixture.limits
        limits.partitionHeldBytesMaximum = 500
        limits.laneIdle = .seconds(600)
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<4 { devices.append(try await TestDevice(fixture, user: "u\(number)")) }
            let taken = Mutex(0)
            let factory = ByteCounter.Factory(bytesPerEvent: .max) { _, _ in taken.withLock { $0 += 1 } }
            try await fixture.withWorker(factory: factory) { worker in
                for _ in 0..<20 {
                    for index in devices.indices { try await devices[index].send(2, noting: &ledger) }
                }
                // Nothing ends and nothing is idle: only the bound makes a lane commit.
                let total = UInt64(ledger.total)
                let events = try await fixture.until("all but the bound") { events in
                    events.reduce(0) { $0 + $1.to - $1.from } + 500 >= total
                }
                #expect(ledger.violations(in: events, isWhole: false).isEmpty)
                #expect(worker.count("lanes.relieved") > 0)
                // What was not read yet is not handed over.
                try await eventually("the lanes have all of it") { taken.withLock { $0 == 160 } }
            }
            #expect(ledger.violations(in: try await fixture.events()).isEmpty)
        }
    }

    @Test("A partition that has enough in hand is read again when there is room", arguments: Store.allCases)
    func inFlightBound(store: Store) async throws {
        var limits = RuntimeFixture.limits
        limits.partitionInFlightBytesMaximum = 2_000
        limits.readCount = 5
        try await RuntimeFixture.with(store, partitions: 1, limits: limits) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<3 { devices.append(try await TestDevice(fixture, user: "u\(number)")) }
            for _ in 0..<60 {
                for index in devices.indices { try await devices[index].send(3, noting: &ledger) }
            }
            for device in devices { try await device.end() }
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 200)) { _ in
                let events = try await fixture.until("all ends") { $0.count(where: \.isEnd) == devices.count }
                #expect(ledger.violations(in: events).isEmpty)
            }
        }
    }

    @Test("Entries the group does not want move its position and open no lane", arguments: Store.allCases)
    func unwanted(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            let device = try await TestDevice(fixture, user: "u1")
            for number in UInt64(0)..<5 {
                let entry = device.session.entry(from: number, count: 1, flags: .privateCloud)
                _ = try await fixture.handOff.append(entry, to: device.partition)
            }
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 1)) { worker in
                try await fixture.untilDrained()
                #expect(worker.count("lanes.opened") == 0)
                // The marker is for every group.
                try await device.end()
                let events = try await fixture.until("the end") { $0.contains(where: \.isEnd) }
                #expect(events.map(\.to) == [0])
            }
        }
    }

    @Test("What belongs to no known session is passed", arguments: Store.allCases)
    func unknownSession(store: Store) async throws {
        try await RuntimeFixture.with(store, partitions: 1) { fixture in
            let ghost = TestSession(user: "ghost")
            for number in UInt64(0)..<3 {
                _ = try await fixture.handOff.append(ghost.entry(from: number, count: 1), to: Partition(0))
            }
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 1)) { worker in
                try await fixture.untilDrained()
                #expect(worker.count("entries.late") == 3)
            }
            #expect(try await fixture.events().isEmpty)
        }
    }
}
