import AudioStreams
import EarshotModel
import Foundation
import NIOCore
import RedisClient
import Synchronization
import TestSupport

/// Worker processes of a test on one fleet, each of them killed, stopped and started again as the test likes.
final class ProbeFleet: Sendable {
    let fleet: RedisFleet
    let partitions: Int
    let directory: String
    private let url: String
    private let stallSeconds: Int
    private let running = Mutex<[String: ChildProcess]>([:])

    init(_ fleet: RedisFleet, url: String, partitions: Int, stallSeconds: Int) throws {
        self.fleet = fleet
        self.url = url
        self.partitions = partitions
        self.stallSeconds = stallSeconds
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("earshot-probes-\(UUID())").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit {
        for process in running.withLock({ $0.values.map { $0 } }) { process.kill() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A fleet with probes that have joined and share its partitions.
    static func with(
        _ names: [String], partitions: Int, stallSeconds: Int = 120, _ body: (ProbeFleet) async throws -> Void
    ) async throws {
        let server = try RedisServer.shared.get()
        try await RedisFleet.with(limits: ProbeFrame.limits) { fleet in
            let probes = try ProbeFleet(fleet, url: server.url, partitions: partitions, stallSeconds: stallSeconds)
            try await fleet.handOff.enable(audioGroups: [.transcript], eventGroups: [], in: probes.all)
            for name in names { try probes.start(name) }
            try await eventually(
                "the probes share the partitions",
                isTrue: { Set(try await probes.owners().values).count == names.count })
            try await body(probes)
            for name in names { probes.kill(name) }
        }
    }

    var all: [Partition] { (0..<partitions).map { Partition($0) } }

    func start(_ name: String) throws {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("LaneProbe").path
        // A probe that aborts does so on purpose; a backtrace would only take time.
        let command = [
            "env", "SWIFT_BACKTRACE=enable=no", program, url, fleet.keys.prefix, "\(partitions)", name,
            "\(stallSeconds)",
        ]
        let process = try ChildProcess(command, output: "\(directory)/\(name)")
        running.withLock { $0[name] = process }
    }

    func kill(_ name: String) { running.withLock { $0[name] }?.kill() }
    func stop(_ name: String) { running.withLock { $0[name] }?.send(SIGSTOP) }
    func goOn(_ name: String) { running.withLock { $0[name] }?.send(SIGCONT) }
    func isRunning(_ name: String) -> Bool { running.withLock { $0[name] }?.isRunning ?? false }

    /// What the probes of a name printed.
    func output(_ name: String) -> [String] {
        let text = (try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// A counter's lines of the probes of a name: one for each time it grew.
    func count(_ counter: String, of name: String) -> Int {
        output(name).count { $0.hasPrefix("worker.\(counter) ") }
    }

    /// The names of the owners of leases that were not given back.
    func owners() async throws -> [Partition: String] {
        let seen = try await fleet.handOff.sightings(of: all, group: .transcript)
        return seen.filter { !$0.value.isReleased }.mapValues { Incarnation($0.owner)?.name ?? "?" }
    }

    func events() async throws -> [ByteEvent] {
        var events: [ByteEvent] = []
        for partition in all {
            let entries = try await fleet.handOff.entries(of: .events, in: partition, after: .start, count: 1_000_000)
            events += entries.compactMap { ByteEvent($0.payload) }
        }
        return events
    }

    func untilDrained() async throws {
        try await eventually(
            "the group passes everything",
            isTrue: {
                let lags = try await fleet.handOff.lag(of: .transcript, stream: .audio, in: all)
                return lags.allSatisfy { $0.entries == 0 }
            })
    }

    func deadLetters() async throws -> [(payload: ByteBuffer, reason: String)] {
        var letters: [(ByteBuffer, String)] = []
        for partition in all {
            let key = RedisArgument(fleet.keys.dead(.transcript, partition))
            for entry in try await fleet.client.execute(RedisCommand("XRANGE", key, "-", "+")).array ?? [] {
                guard let fields = entry.array?.last?.array, fields.count == 4, let payload = fields[1].bytes,
                    let reason = fields[3].string
                else { continue }
                letters.append((payload, reason))
            }
        }
        return letters
    }
}
