import AccessTokens
import AudioStreams
import EarshotClient
import EarshotModel
import GatewayService
import Logging
import NIOCore
import NIOPosix
import RedisClient
import ServiceLifecycle
import Synchronization
import TestSupport

/// A real gateway in this process, on a real Redis, for one test.
struct GatewayHarness: Sendable {
    let fleet: RedisFleet
    let port: Int
    let incarnation: Incarnation
    let partitions: Int
    let shutDown: @Sendable () async -> Void
    /// What the `preStop` hook asks for.
    let drain: @Sendable () async -> Void

    private static let eventLoops = 2

    /// The secret tokens are signed with.
    static let secret = "0123456789abcdef0123456789abcdef"

    /// Runs a body against a gateway that takes sessions.
    static func with<Value: Sendable>(
        limits: Limits = Limits(), redis: RedisConfiguration? = nil, origins: Set<String> = ["*"],
        languages: Set<String> = ["en", "multi"], developmentMode: Bool = true, backend: BackendDoor = .closed,
        _ body: @Sendable (GatewayHarness) async throws -> Value
    ) async throws -> Value {
        try await GatewaySlots.shared.with {
            try await RedisFleet.with(redis, limits: limits) { fleet in
                let tokens = try await AccessTokenVerifier(
                    configuration: AccessTokenConfiguration(hs256Secret: secret, developmentMode: developmentMode),
                    logger: RedisFleet.logger)
                let incarnation = Incarnation(startingAs: "gateway-0")
                let ports = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
                let server = GatewayServer(
                    GatewayConfiguration(
                        host: "127.0.0.1", port: 0, incarnation: incarnation, partitions: 16, eventLoops: eventLoops,
                        allowedOrigins: origins, languages: languages, tokens: tokens, backend: backend,
                        limits: limits),
                    redis: fleet.configuration, keys: fleet.keys, handOff: fleet.handOff, logger: RedisFleet.logger,
                    onListening: { ports.continuation.yield($0) })
                let group = ServiceGroup(services: [server], logger: RedisFleet.logger)
                return try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await group.run() }
                    var port: Int?
                    for await bound in ports.stream {
                        port = bound
                        break
                    }
                    let harness = GatewayHarness(
                        fleet: fleet, port: port ?? 0, incarnation: incarnation, partitions: 16,
                        shutDown: { await group.triggerGracefulShutdown() }, drain: { await server.drain() })
                    try await harness.untilItTakesSessions()
                    let value = try await body(harness)
                    await group.triggerGracefulShutdown()
                    try await tasks.waitForAll()
                    return value
                }
            }
        }
    }

    /// The same without the development mode, which the harness needs to see that the gateway is up.
    static func withoutDevelopmentMode(_ body: @Sendable (GatewayHarness) async throws -> Void) async throws {
        try await with(developmentMode: false, body)
    }

    func url(_ query: String = "codec=pcm16&sample_rate=16000", path: String = "/v4/listen") -> String {
        "ws://127.0.0.1:\(port)\(path)?\(query)"
    }

    /// Connects with a development token.
    func connect(
        _ query: String = "codec=pcm16&sample_rate=16000", user: String = "alice", path: String = "/v4/listen",
        headers: [(String, String)] = []
    ) async throws -> DeviceConnection {
        let token = path == "/v4/listen" ? [("Authorization", "Bearer dev:\(user)")] : []
        return try await DeviceConnection.connect(
            url: url(query, path: path), headers: token + headers, on: MultiThreadedEventLoopGroup.singleton)
    }

    /// Each event loop has a connection to Redis of its own, and devices go round the loops.
    private func untilItTakesSessions() async throws {
        try await eventually("every loop of the gateway takes sessions") {
            for number in 0..<2 * Self.eventLoops where try await !takesSession(of: "probe-\(number)") { return false }
            return true
        }
    }

    private func takesSession(of user: String) async throws -> Bool {
        do {
            let probe = try await connect(user: user)
            probe.abort()
            return true
        } catch let error as DeviceConnectionError {
            // That a token is refused, or one user's rate, is an answer too.
            return [401, 429].contains(error.refusal?.status)
        }
    }

    func partition(of user: String) -> Partition {
        UserID(user).map { Partition(of: $0, count: partitions) } ?? Partition(0)
    }

    /// The user's entries in Redis so far, in order.
    func entries(of user: String) async throws -> [AudioEntry] {
        let entries = try await fleet.handOff.entries(
            of: .audio, in: partition(of: user), after: .start, count: 100_000)
        return try entries.map { try AudioEntry(decoding: $0.payload) }
    }

    /// Waits for the end marker of a user's only session.
    func untilEnded(_ user: String) async throws -> EndReason {
        try await eventually("the end of \(user)'s session") { try await end(of: user) }
    }

    /// Why the user's session ended, if it has.
    func end(of user: String) async throws -> EndReason? {
        for entry in try await entries(of: user) { if case .end(let reason) = entry.content { return reason } }
        return nil
    }
}

extension DeviceConnection {
    /// Reads up to and including the close.
    func untilClosed() async -> (texts: [String], code: UInt16?, reason: String) {
        var texts: [String] = []
        for await message in messages {
            switch message {
            case .text(let text): texts.append(text)
            case .binary: break
            case .closed(let code, let reason): return (texts, code, reason)
            }
        }
        return (texts, nil, "")
    }

}

/// Reads a device's messages one after another, pings left out.
final class Inbox: Sendable {
    private let texts: AsyncStream<String>

    /// The one reader of a connection.
    init(_ connection: DeviceConnection) {
        let (texts, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(10_000))
        self.texts = texts
        Task {
            for await message in connection.messages {
                if case .text(let text) = message, text != "ping" { continuation.yield(text) }
            }
            continuation.finish()
        }
    }

    /// The next text, or `nil` at the close.
    func next() async -> String? {
        for await text in texts { return text }
        return nil
    }

    /// Skips to the text that contains something.
    func skip(to part: String) async -> String? {
        while let text = await next() { if text.contains(part) { return text } }
        return nil
    }
}
