import AudioStreams
import EarshotModel
import Logging
import NIOPosix
import RedisClient
import TestSupport

/// A replica of the fleet's Redis that is behind it by a time, to be promoted by hand.
struct StandbyRedis: Sendable {
    private let server: RedisServer
    private let link: FaultProxy

    var port: Int { server.port }

    /// Starts it and waits until it has everything.
    static func following(_ primary: RedisServer, lag: Duration) async throws -> StandbyRedis {
        let server = try await offload { try RedisServer.started() }
        let link = try await FaultProxy.started(to: primary.port)
        var toxics = Toxics()
        toxics.latency = Toxics.Latency(lag)
        var faults = LinkFaults()
        faults.downstream = toxics
        link.set(faults)
        let standby = StandbyRedis(server: server, link: link)
        _ = try await standby.ask([RedisCommand("REPLICAOF", "127.0.0.1", .init(link.port))])
        try await eventually(within: .seconds(60), "the replica follows") {
            let role = try await standby.ask([RedisCommand("INFO", "replication")]).first?.string ?? ""
            return role.contains("master_link_status:up") && !role.contains("master_sync_in_progress:1")
        }
        return standby
    }

    /// Makes it the primary; returns how many entries it has ever had.
    func promote() async throws -> Int {
        _ = try await ask([RedisCommand("REPLICAOF", "NO", "ONE")])
        return try await added()
    }

    /// Waits for the first audio behind a count.
    func untilAppended(beyond count: Int) async throws -> ContinuousClock.Instant {
        try await eventually(within: .seconds(120), "audio on the new primary") {
            try await added() > count ? ContinuousClock.now : nil
        }
    }

    func stop() async {
        await link.stop()
        server.kill()
    }

    /// Entries ever added to all audio streams.
    private func added() async throws -> Int {
        let keys = StreamKeys()
        let commands = (0..<256).map { RedisCommand("XLEN", .init(keys.audio(Partition($0)))) }
        return try await ask(commands).reduce(0) { $0 + ($1.int ?? 0) }
    }

    private func ask(_ commands: [RedisCommand]) async throws -> [RESPValue] {
        let client = RedisClient(
            server.configuration, eventLoop: MultiThreadedEventLoopGroup.singleton.next(), logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await client.run() }
            defer { tasks.cancelAll() }
            try await client.untilConnected(deadline: .seconds(30))
            return try await client.execute(RedisPipeline(commands))
        }
    }
}
