import AudioStreams
import EarshotModel
import RedisClient
import TestSupport
import Testing
import WorkerRuntime

@Suite("Worker: faults of a real Redis", .timeLimit(.minutes(2)))
struct RedisFaultTests {
    @Test("Redis killed and started again in the middle: nothing is lost or doubled")
    func restart() async throws {
        let server = try RedisServer.started()
        defer { server.kill() }
        try await RuntimeFixture.with(server.configuration) { fixture in
            var ledger = ByteLedger()
            var devices: [TestDevice] = []
            for number in 0..<10 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
            try await fixture.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 60)) { _ in
                for _ in 0..<3 {
                    for _ in 0..<10 {
                        for index in devices.indices { try await devices[index].send(2, noting: &ledger) }
                    }
                    let half = UInt64(ledger.total / 2)
                    _ = try await fixture.until("half of it") { $0.reduce(0) { $0 + $1.to - $1.from } >= half }
                    server.kill()
                    try server.start()
                }
                for device in devices { try await device.end() }
                try await eventually(
                    "all ends", isTrue: { try await fixture.events().count(where: \.isEnd) == devices.count })
                #expect(ledger.violations(in: try await fixture.events()).isEmpty)
                try await fixture.untilDrained()
            }
        }
    }

    @Test("Redis silent for longer than a reply may take: commits are repeated and happen once")
    func freeze() async throws {
        let server = try RedisServer.started(options: ["--appendonly", "no"])
        defer { server.kill() }
        var configuration = server.configuration
        configuration.commandTimeout = .milliseconds(400)
        try await RedisFleet.with(server.configuration, limits: RuntimeFixture.limits) { patient in
            try await RedisFleet.with(configuration, prefix: patient.keys.prefix, limits: RuntimeFixture.limits) {
                hasty in
                let fixture = RuntimeFixture(
                    handOff: patient.handOff, makeReader: { patient.makeReader() }, limits: patient.limits,
                    partitions: 2)
                let workers = RuntimeFixture(
                    handOff: hasty.handOff, makeReader: { hasty.makeReader() }, limits: hasty.limits, partitions: 2)
                try await fixture.handOff.enable(audioGroups: [fixture.group], eventGroups: [], in: fixture.all)
                var ledger = ByteLedger()
                var devices: [TestDevice] = []
                for number in 0..<6 { devices.append(try await TestDevice(fixture, user: "user\(number)")) }
                try await workers.withWorker(factory: ByteCounter.Factory(bytesPerEvent: 30)) { worker in
                    for _ in 0..<3 {
                        for _ in 0..<10 {
                            for index in devices.indices { try await devices[index].send(2, noting: &ledger) }
                        }
                        server.freeze()
                        // tidy:allow Task.sleep longer than the worker's patience, which the test is about
                        try await Task.sleep(for: .milliseconds(900))
                        server.thaw()
                    }
                    for device in devices { try await device.end() }
                    try await eventually(
                        "all ends", isTrue: { try await fixture.events().count(where: \.isEnd) == devices.count })
                    #expect(ledger.violations(in: try await fixture.events()).isEmpty)
                    #expect(worker.count("commits.refused") == 0)
                }
            }
        }
    }
}
