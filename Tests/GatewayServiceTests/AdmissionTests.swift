import EarshotClient
import EarshotModel
import FoundationEssentials
import NIOPosix
import RedisClient
import TestSupport
import Testing

@testable import AccessTokens

@Suite struct AdmissionTests {
    /// Connects and gives the refusal.
    private func refusal(
        _ harness: GatewayHarness, _ query: String, path: String = "/v4/listen", headers: [(String, String)]
    ) async -> UpgradeRefusal? {
        do {
            let connection = try await DeviceConnection.connect(
                url: harness.url(query, path: path), headers: headers, on: MultiThreadedEventLoopGroup.singleton)
            connection.abort()
            return nil
        } catch {
            return error.refusal
        }
    }

    private let good = ("Authorization", "Bearer dev:alice")

    @Test("An upgrade is refused before the 101 with what is wrong and what is allowed")
    func refusals() async throws {
        try await GatewayHarness.with(origins: ["https://app.example"]) { harness in
            let unknown = await refusal(harness, "", path: "/v4/other", headers: [good])
            #expect(unknown?.status == 404)
            #expect(unknown?.body.contains("/v4/listen") == true)
            let missing = await refusal(harness, "", headers: [])
            #expect(missing?.status == 401)
            #expect(missing?.body.contains("Authorization: Bearer") == true)
            for header in ["Bearer", "Bearer a b", "Basic dev:alice", "Bearer not-a-token", "Bearer dev:a/b"] {
                #expect(await refusal(harness, "", headers: [("Authorization", header)])?.status == 401)
            }
            let inURL = await refusal(harness, "token=eyJhbGciOiJIUzI1NiJ9.e30.x", headers: [])
            #expect(inURL?.status == 401)
            #expect(inURL?.body.contains("do not belong in URLs") == true)
            let malformed = await refusal(harness, "sample_rate=fast", headers: [good])
            #expect(malformed?.status == 400)
            #expect(malformed?.body.contains("sample_rate") == true)
            #expect(await refusal(harness, "a=%zz", headers: [good]) == nil, "nobody reads it")
            #expect(await refusal(harness, "", headers: [good, ("Origin", "https://evil.example")])?.status == 403)
            #expect(await refusal(harness, "", headers: [good, ("Origin", "https://app.example")]) == nil)
        }
    }

    @Test("Without the development mode its tokens are refused, and a minted one is taken")
    func realTokens() async throws {
        try await GatewayHarness.withoutDevelopmentMode { harness in
            #expect(await refusal(harness, "", headers: [good])?.status == 401)
            #expect(await refusal(harness, "token=dev:alice", headers: [])?.status == 401)
            let minter = try await AccessTokenMinter(
                configuration: AccessTokenConfiguration(hs256Secret: GatewayHarness.secret))
            let token = try await minter.mint(uid: "alice", lifetime: .seconds(60))
            #expect(await refusal(harness, "", headers: [("Authorization", "Bearer \(token)")]) == nil)
            #expect(await refusal(harness, "", headers: [("Authorization", "Bearer \(token)x")])?.status == 401)
            let past = try await AccessTokenMinter(
                configuration: AccessTokenConfiguration(hs256Secret: GatewayHarness.secret),
                now: { Date(timeIntervalSinceNow: -5) })
            let expired = try await past.mint(uid: "alice", lifetime: .seconds(1))
            let refused = await refusal(harness, "", headers: [("Authorization", "Bearer \(expired)")])
            #expect(refused?.status == 401)
            #expect(refused?.body.contains("expired") == true)
        }
    }

    @Test(
        "What is not served is closed after the upgrade with the contract's codes",
        arguments: [
            ("codec=aac&sample_rate=16000", UInt16(1003), "pcm8 pcm16 pcm opus opus_fs320"),
            ("codec=pcm16&sample_rate=30000000", 1003, "16000"),
            ("codec=opus&sample_rate=44100", 1003, "16000"),
            ("codec=pcm16&sample_rate=16000&channels=2", 1003, "1"),
            ("codec=pcm16&sample_rate=16000&language=fr", 1008, "en multi"),
            ("codec=pcm16&sample_rate=16000&language=", 1008, "multi"),
        ])
    func closeCodes(query: String, code: UInt16, reason: String) async throws {
        try await GatewayHarness.with { harness in
            let closed = try await harness.connect(query).untilClosed()
            #expect(closed.code == code)
            #expect(closed.reason.contains(reason))
        }
    }

    @Test("A full gateway answers 503 with a time to wait")
    func capacity() async throws {
        var limits = Limits()
        limits.sessionsMaximum = 3
        try await GatewayHarness.with(limits: limits) { [limits] harness in
            var held: [DeviceConnection] = []
            var refused: UpgradeRefusal?
            for index in 0...limits.sessionsMaximum + 1 where refused == nil {
                do {
                    held.append(try await harness.connect(user: "user-\(index)"))
                } catch let error as DeviceConnectionError {
                    refused = error.refusal
                }
            }
            #expect(refused?.status == 503)
            #expect(refused?.retryAfter != nil)
            for connection in held { connection.abort() }
        }
    }

    @Test("A user who opens too many sessions in a minute gets 429")
    func rate() async throws {
        var limits = Limits()
        limits.sessionsPerUserMaximum = 2
        try await GatewayHarness.with(limits: limits) { harness in
            _ = try await harness.connect(user: "busy")
            _ = try await harness.connect(user: "busy")
            #expect(await refusal(harness, "", headers: [("Authorization", "Bearer dev:busy")])?.status == 429)
            #expect(await refusal(harness, "", headers: [("Authorization", "Bearer dev:calm")]) == nil)
        }
    }

    @Test("When Redis is short of memory new sessions are refused first, and then sockets are not read")
    func memory() async throws {
        let server = try RedisServer.started(options: ["--appendonly", "no"])
        try await GatewayHarness.with(redis: server.configuration) { harness in
            let client = harness.fleet.client
            // Beside this what the test itself uses is nothing.
            _ = try await client.execute(RedisCommand("SETRANGE", "ballast", 64_000_000, "x"))
            func use(_ share: Double) async throws {
                let information = try await client.execute(RedisCommand("INFO", "memory")).string ?? ""
                let line = try #require(information.split(separator: "\r\n").first { $0.hasPrefix("used_memory:") })
                let used = try #require(Double(line.dropFirst("used_memory:".count)))
                _ = try await client.execute(
                    RedisCommand("CONFIG", "SET", "maxmemory", .init(String(Int(used / share)))))
            }
            let inbox = NativeInbox(try await harness.native())
            #expect(await inbox.skip(to: #""status":"ready""#) != nil)
            try await use(0.75)
            try await eventually("new sessions are refused") {
                // Each of the two loops asks for itself.
                for _ in 0..<2 {
                    let answer = await refusal(harness, "", headers: [good])
                    guard answer?.status == 503, answer?.body.contains("memory") == true else { return false }
                }
                return true
            }
            try await use(0.9)
            #expect(await inbox.skip(to: #""status":"paused""#) != nil)
            try await use(0.5)
            #expect(await inbox.skip(to: #""status":"ready""#) != nil)
            try await eventually("new sessions are taken") { await refusal(harness, "", headers: [good]) == nil }
        }
        server.kill()
    }

    @Test("A user whose partition has too much waiting is refused until that is processed")
    func backlog() async throws {
        var limits = Limits()
        limits.partitionBacklogMaximum = 20
        limits.batchDelay = .milliseconds(50)
        try await GatewayHarness.with(limits: limits) { harness in
            let connection = try await harness.connect()
            // Nobody processes it.
            for _ in 0..<21 {
                let before = try await harness.entries(of: "alice").count
                try await connection.send(binary: [UInt8](repeating: 1, count: 640))
                try await eventually("an entry") { try await harness.entries(of: "alice").count > before }
            }
            let refused = await refusal(harness, "", headers: [good])
            #expect(refused?.status == 503 && refused?.retryAfter == .seconds(30))
            connection.abort()
        }
    }
}
