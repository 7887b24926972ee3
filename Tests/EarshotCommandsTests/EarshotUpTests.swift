import CoreMetrics
import Foundation
import Logging
import NIOPosix
import RedisClient
import ServiceBootstrap
import Subprocess
import Synchronization
import Testing

@testable import EarshotCommands

// One after the other: each starts a Redis and makes a Postgres cluster, and two cores are all there is.
@Suite("earshot up", .serialized, .timeLimit(.minutes(5)))
struct EarshotUpTests {
    @Test("A fleet becomes ready, is started again where it dies, and stops without leaving a child")
    func lifecycle() async throws {
        try await ScratchDirectory.with { scratch in
            let programs = try StandInPrograms(in: scratch)
            var children: [ProcessIdentity] = []
            let seen = Seen()
            let end = try await RunningFleet.with(
                in: scratch, programs: programs, arguments: ["--workers", "transcript=2"]
            ) { fleet in
                let ready = try #require(fleet.ready)
                #expect(ready.ready)
                #expect(ready.listen?.hasPrefix("ws://127.0.0.1:") == true)
                #expect(
                    ready.pids.mapValues(\.count).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                        == [
                            "audio-bytes=1", "coordinator=1", "gateway=1", "postgres=1", "private-cloud=1", "redis=1",
                            "speaker-sample=1", "transcript=2", "webhook=1",
                        ])
                #expect(try await fleet.get("/livez") == "ok\n")
                #expect(try await fleet.get("/readyz").contains(#""ready":true"#))

                let victim = try #require(ready.pids["transcript"]?.first)
                kill(victim, SIGKILL)
                try await fleet.eventually("the worker is back under another pid") {
                    let pids = try await fleet.pids()["transcript"] ?? []
                    return pids.count == 2 && !pids.contains(victim)
                }
                let redis = try #require(ready.pids["redis"]?.first)
                kill(redis, SIGKILL)
                try await fleet.eventually("Redis is back under another pid") {
                    let pids = try await fleet.pids()["redis"] ?? []
                    return pids.count == 1 && !pids.contains(redis)
                }

                // Somebody else wants the same data directory.
                let second = try await RunningFleet.with(in: scratch, programs: programs) { second in
                    #expect(second.ready == nil)
                }
                #expect(second.status == .exited(1))
                #expect(second.log.contains("another `earshot up` (pid \(fleet.process.pid))"), "\(second.log)")

                seen.set(try await fleet.pids().values.joined().compactMap { ProcessIdentity(pid: $0) })
            }
            children = seen.processes
            #expect(end.status == .exited(0), "\(end.log)")
            #expect(end.linesBehindTheFirst == [])
            #expect(end.log.contains("signal 9"), "\(end.log)")
            #expect(children.count == 10)
            #expect(children.filter(\.isAlive) == [])
            let state = try #require(try FleetState.read("\(scratch.path)/data/state.json"))
            #expect(state.children == [])
            #expect(state.supervisor == nil)
        }
    }

    @Test("A second start finds the data, the secrets and the ports of the first")
    func secondStart() async throws {
        try await ScratchDirectory.with { scratch in
            let programs = try StandInPrograms(in: scratch)
            let paths = DataDirectoryPaths("\(scratch.path)/data")
            let redis = Mutex("")
            _ = try await RunningFleet.with(in: scratch, programs: programs) { _ in
                let url = try Self.redisURL(paths)
                redis.withLock { $0 = url }
                try await Self.withRedis(url) { client in
                    _ = try await client.execute(RedisCommand("SET", "kept", "yes"))
                }
            }
            let secret = try SecretFile.read(paths.tokenSecret)
            #expect(try scratch.permissions("data/secrets/hs256") == 0o600)
            #expect(try scratch.permissions("data/secrets") == 0o700)
            #expect(try scratch.permissions("data/redis/redis.conf") == 0o600)
            #expect(try scratch.permissions("data/state.json") == 0o600)
            let end = try await RunningFleet.with(in: scratch, programs: programs) { _ in
                #expect(try Self.redisURL(paths) == redis.withLock(\.self))
                try await Self.withRedis(try Self.redisURL(paths)) { client in
                    let kept = try await client.execute(RedisCommand("GET", "kept")).string
                    #expect(kept == "yes")
                }
            }
            #expect(end.status == .exited(0), "\(end.log)")
            #expect(!end.log.contains("making a Postgres cluster"))
            #expect(try SecretFile.read(paths.tokenSecret) == secret)
        }
    }

    @Test("What a killed supervisor leaves behind is stopped by the next start")
    func killedSupervisor() async throws {
        try await ScratchDirectory.with { scratch in
            let programs = try StandInPrograms(in: scratch)
            let seen = Seen()
            let end = try await RunningFleet.with(in: scratch, programs: programs) { fleet in
                seen.set((fleet.ready?.pids ?? [:]).values.joined().compactMap { ProcessIdentity(pid: $0) })
                fleet.process.send(SIGKILL)
            }
            #expect(end.status == .signaled(SIGKILL))
            let leftovers = seen.processes
            #expect(leftovers.count == 9)
            #expect(leftovers.filter(\.isAlive).count == 9, "the children outlive their supervisor")
            let next = try await RunningFleet.with(in: scratch, programs: programs) { fleet in
                #expect(fleet.ready?.ready == true)
                #expect(leftovers.filter(\.isAlive) == [])
            }
            #expect(next.status == .exited(0), "\(next.log)")
            #expect(next.log.contains("stopping what an earlier run left behind"))
        }
    }

    @Test("A later second signal kills what does not end")
    func impatience() async throws {
        try await ScratchDirectory.with { scratch in
            let programs = try StandInPrograms(in: scratch, bodies: ["gateway": StandInPrograms.stubborn])
            let seen = Seen()
            let end = try await RunningFleet.with(in: scratch, programs: programs) { fleet in
                seen.set((fleet.ready?.pids ?? [:]).values.joined().compactMap { ProcessIdentity(pid: $0) })
                fleet.process.send(SIGINT)
                // An echo of the first signal is no impatience: the gateway lives on.
                fleet.process.send(SIGINT)
                try await ContinuousClock().sleep(for: .milliseconds(1_500))
                #expect(fleet.process.isAlive)
            }
            #expect(end.status == .exited(0), "\(end.log)")
            #expect(end.log.contains("child does not end, killing it"), "\(end.log)")
            #expect(seen.processes.filter(\.isAlive) == [])
        }
    }

    @Test("A role that cannot start ends the start, with its name and all else stopped")
    func brokenRole() async throws {
        try await ScratchDirectory.with { scratch in
            let programs = try StandInPrograms(in: scratch, bodies: ["transcript": StandInPrograms.broken])
            let end = try await RunningFleet.with(in: scratch, programs: programs) { fleet in
                #expect(fleet.ready == nil)
            }
            #expect(end.status == .exited(1))
            #expect(end.log.contains("the model file is missing"), "\(end.log)")
            #expect(end.log.contains("transcript-0 ended 5 times before it was ready"), "\(end.log)")
            let state = try #require(try FleetState.read("\(scratch.path)/data/state.json"))
            #expect(state.children == [])
        }
    }

    @Test("The metrics of all processes come as one text, each sample saying whose it is")
    func mergedMetrics() async throws {
        let metrics = PrometheusMetrics(includesProcess: false)
        metrics.makeCounter(label: "test.things", dimensions: [("kind", "good")]).increment(by: 7)
        try await AdminFixture.with(metrics: metrics) { admin in
            try await ScratchDirectory.with { scratch in
                let programs = try StandInPrograms(in: scratch, admin: admin)
                let end = try await RunningFleet.with(
                    in: scratch, programs: programs, arguments: ["--workers", "transcript=2,coordinator=0"]
                ) { fleet in
                    let text = try await fleet.get("/metrics")
                    for (role, node) in [("gateway", "gateway-0"), ("transcript", "transcript-0")] {
                        let own = #"earshot_test_things_total{role="\#(role)",node="\#(node)",kind="good"} 7"#
                        #expect(text.contains(own), "\(text)")
                        let scraped = #"earshot_supervisor_child_scraped{role="\#(role)",node="\#(node)"} 1"#
                        #expect(text.contains(scraped), "\(text)")
                    }
                    let types = text.split(separator: "\n").filter { $0 == "# TYPE earshot_test_things_total counter" }
                    #expect(types.count == 1)
                    #expect(fleet.ready?.pids["coordinator"] == [])
                }
                #expect(end.status == .exited(0), "\(end.log)")
            }
        }
    }

    private static func redisURL(_ paths: DataDirectoryPaths) throws -> String {
        let port = try #require(try FleetState.read(paths.state)?.redisPort)
        let password = try #require(try SecretFile.read(paths.redisPassword))
        return "redis://:\(password)@127.0.0.1:\(port)"
    }

    private static func withRedis(_ url: String, _ body: @Sendable (RedisClient) async throws -> Void) async throws {
        let client = RedisClient(
            try RedisConfiguration(url: url), eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            try await body(client)
        }
    }
}
