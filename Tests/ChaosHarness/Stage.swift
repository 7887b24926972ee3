import AudioStreams
import Foundation
import Logging
import NIOPosix
import PostgresClient
import RedisClient
import TestSupport
import UnixSignals

/// A running fleet with everything that looks at it.
struct Stage: Sendable {
    let servers: ChaosServers
    let fleet: ChaosFleet
    let view: RedisView
    let tap: EventTap
    let leases: LeaseWatch
    /// The record, past the proxy.
    let record: PostgresClient
    /// Seconds since the stage was set.
    let clock: @Sendable () -> Double

    /// A line with its time on standard error.
    func log(_ text: String) { Self.say("[\(String(format: "%7.2f", clock()))] \(text)") }

    /// Switches stored audio on for some users, who need not be known, and waits until gateways have been told.
    func storeAudio(of users: [String]) async throws {
        try await record.execute(
            "INSERT INTO user_settings (uid, storage) SELECT uid, true FROM unnest(\(users)::text[]) AS uid")
        try await eventually(within: .seconds(60), "the settings have reached the gateways") {
            try await record.query("SELECT 1 FROM settings_changes WHERE projected < revision LIMIT 1").isEmpty
        }
    }

    /// Waits until so many sessions are live.
    func untilLive(_ count: Int) async throws {
        var live = 0
        for _ in 0..<600 {
            live = try await view.liveSessions()
            if live >= count { return }
            try await rest(.milliseconds(200))
        }
        throw HarnessError("only \(live) of \(count) sessions came about within two minutes")
    }

    static func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    /// Sets a stage, runs a body on it, and takes everything down again.
    static func with<Value: Sendable>(
        _ options: HarnessOptions, workers: String, _ body: @escaping @Sendable (Stage) async throws -> Value
    ) async throws -> Value {
        // SIGINT and SIGTERM cancel the run, so that no process of the fleet stays behind.
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await set(options, workers: workers, body) }
            group.addTask {
                for await signal in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
                    throw ChildProcess.Failure("ended by \(signal)")
                }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    private static func set<Value: Sendable>(
        _ options: HarnessOptions, workers: String, _ body: (Stage) async throws -> Value
    ) async throws -> Value {
        let servers = try await ChaosServers.started()
        say("redis on \(servers.redis.port), postgres on \(servers.postgres.port), both behind fault proxies")
        do {
            let fleet = try await ChaosFleet.started(binaries: options.bin, workers: workers, servers: servers)
            let roles = fleet.roles.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            say("fleet: \(roles.joined(separator: " ")), log \(fleet.log)")
            do {
                let value = try await watched(fleet, servers, body)
                // A log is evidence where a check has failed.
                let hasFailed = (value as? ChaosReport).map { !$0.isPassed } ?? false
                await fleet.stop(keepingLog: options.keepLog || hasFailed)
                await servers.stop()
                return value
            } catch {
                await fleet.stop(keepingLog: true)
                throw error
            }
        } catch {
            await servers.stop()
            throw error
        }
    }

    private static func watched<Value: Sendable>(
        _ fleet: ChaosFleet, _ servers: ChaosServers, _ body: (Stage) async throws -> Value
    ) async throws -> Value {
        let logger = Logger.silent
        let client = RedisClient(
            servers.redis.configuration, eventLoop: MultiThreadedEventLoopGroup.singleton.next(), logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await client.run() }
            defer { group.cancelAll() }
            let view = try await RedisView(client: client)
            let reader = RedisStreamReader(
                reader: RedisBlockingReader(
                    servers.redis.configuration, eventLoop: MultiThreadedEventLoopGroup.singleton.next(),
                    logger: logger), keys: view.keys)
            let started = ContinuousClock.now
            let record = PostgresClient(
                try PostgresServerFixture.patient(servers.directPostgresURL), logger: logger)
            let stage = Stage(
                servers: servers, fleet: fleet, view: view, tap: EventTap(view, reader: reader),
                leases: LeaseWatch(view),
                record: record, clock: { started.duration(to: .now).seconds })
            group.addTask { await stage.tap.run() }
            group.addTask { await stage.leases.run() }
            return try await body(stage)
        }
    }
}
