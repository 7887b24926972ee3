import AudioStreams
import EarshotModel
import Foundation
import NIOCore
import TestSupport
import Testing

@Suite("Worker: real processes, killed and stopped", .timeLimit(.minutes(4)))
struct ProcessTests {
    private let names = ["probe-0", "probe-1"]

    private func devices(_ probes: ProbeFleet) async throws -> [TestDevice] {
        var devices: [TestDevice] = []
        for number in 0..<10 {
            devices.append(
                try await TestDevice(probes.fleet.handOff, user: "user\(number)", partitions: probes.partitions))
        }
        return devices
    }

    private func report(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    @Test("Processes killed at random moments: every byte comes out once, in order")
    func killed() async throws {
        try await ProbeFleet.with(names, partitions: 4) { probes in
            var random = SystemRandomNumberGenerator()
            var ledger = ByteLedger()
            var devices = try await devices(probes)
            var recoveries: [Duration] = []
            for _ in 0..<4 {
                let moment = Int.random(in: 0..<60, using: &random)
                let victim = Bool.random(using: &random) ? names[0] : names[1]
                for step in 0..<60 {
                    for index in devices.indices { try await devices[index].send(2, noting: &ledger) }
                    if step == moment { probes.kill(victim) }
                }
                let clock = ContinuousClock.now
                try await probes.untilDrained()
                recoveries.append(ContinuousClock.now - clock)
                #expect(ledger.violations(in: try await probes.events()).isEmpty)
                try probes.start(victim)
            }
            for device in devices { try await device.end() }
            try await probes.untilDrained()
            let events = try await probes.events()
            #expect(ledger.violations(in: events).isEmpty && events.count(where: \.isEnd) == devices.count)
            #expect(try await probes.deadLetters().isEmpty)
            report("kill -9 of a worker: all caught up after \(recoveries.map { $0.inSeconds }) s")
        }
    }

    @Test("A process stopped past its lease's lapse comes back and can write nothing; that is counted")
    func stopped() async throws {
        try await ProbeFleet.with(names, partitions: 4) { probes in
            var ledger = ByteLedger()
            var devices = try await devices(probes)
            var refused = 0
            // It commits late unless its own heartbeat finds the loss first, which is as good: so it is tried again.
            for round in 0..<20 where refused == 0 || round < 2 {
                let (sleeper, other) = round % 2 == 0 ? (names[0], names[1]) : (names[1], names[0])
                try await eventually(
                    "both have partitions", isTrue: { Set(try await probes.owners().values).count == 2 })
                let file = "\(probes.directory)/go-\(round)"
                let waiting = probes.output(sleeper).count { $0 == "waiting" }
                for index in devices.indices {
                    try await devices[index].send(3, noting: &ledger)
                    try await devices[index].send([ProbeFrame.wait(path: file).bytes], noting: &ledger)
                }
                try await eventually("it waits", isTrue: { probes.output(sleeper).count { $0 == "waiting" } > waiting })
                probes.stop(sleeper)
                let clock = ContinuousClock.now
                try await eventually(
                    "the other takes over",
                    isTrue: {
                        try await probes.owners().values.allSatisfy { $0 == other }
                    })
                if round < 2 {
                    report("SIGSTOP of a worker: taken over after \((ContinuousClock.now - clock).inSeconds) s")
                }
                try Data().write(to: URL(fileURLWithPath: file))
                probes.goOn(sleeper)
                try await probes.untilDrained()
                refused = probes.count("commits.refused", of: names[0]) + probes.count("commits.refused", of: names[1])
                #expect(ledger.violations(in: try await probes.events()).isEmpty)
            }
            #expect(refused > 0)
            for device in devices { try await device.end() }
            try await probes.untilDrained()
            let events = try await probes.events()
            #expect(ledger.violations(in: events).isEmpty && events.count(where: \.isEnd) == devices.count)
        }
    }

    @Test(
        "An entry that kills its process, or hangs it (M3), is buried after three crashes in hand, nothing else is",
        arguments: [ProbeFrame.abort, .hang])
    func poison(frame: ProbeFrame) async throws {
        try await ProbeFleet.with(names, partitions: 4, stallSeconds: 3) { probes in
            var ledger = ByteLedger()
            var discarded = ByteLedger()
            var devices = try await devices(probes)
            for step in 0..<20 {
                for index in devices.indices { try await devices[index].send(2, noting: &ledger) }
                if step == 10 { try await devices[4].send([frame.bytes], noting: &discarded) }
            }
            for device in devices { try await device.end() }
            // What a supervisor does.
            var restarts = 0
            let clock = ContinuousClock.now
            try await eventually(
                within: .seconds(120), "all ends",
                isTrue: {
                    for name in names where !probes.isRunning(name) {
                        restarts += 1
                        try probes.start(name)
                    }
                    return try await probes.events().count(where: \.isEnd) == devices.count
                })
            report("a poison entry: \(restarts) crashes, through after \((ContinuousClock.now - clock).inSeconds) s")
            try await probes.untilDrained()
            #expect(ledger.violations(in: try await probes.events()).isEmpty)
            let letters = try await probes.deadLetters()
            #expect(letters.count == 1 && letters.first?.reason.contains("crashed its worker 3 times") == true)
            let entry = try AudioEntry(decoding: try #require(letters.first).payload)
            #expect(entry.session == devices[4].id && entry.frames == [frame.bytes])
            // The first one came in normal running, where nothing is named.
            // One that hangs has lost its partition some time before it ends.
            try await eventually("the last of them ends") {
                restarts + names.count { !probes.isRunning($0) } == 4
            }
        }
    }
}
