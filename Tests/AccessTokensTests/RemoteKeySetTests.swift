import HTTPTransport
import JWTKit
import Logging
import Synchronization
import TestSupport
import Testing

@testable import AccessTokens

@Suite("Key sets from a URL")
struct RemoteKeySetTests {
    private let logger = Logger(label: "test")

    /// What a server answers, changed by a test.
    private final class Provider: Sendable {
        private let answer = Mutex<(status: Int, body: String)>((404, ""))

        func publish(_ keys: KeyPair...) {
            answer.withLock { $0 = (200, #"{"keys":[\#(keys.map(\.entry).joined(separator: ","))]}"#) }
        }

        func set(_ status: Int, _ body: String) { answer.withLock { $0 = (status, body) } }

        var handler: HTTPServer.Handler {
            { _, reply in
                let (status, body) = self.answer.withLock(\.self)
                reply.respond(status, headers: [("Cache-Control", "public, max-age=3600")], text: body)
            }
        }
    }

    /// A schedule that waits for nothing but the demand of unknown keys.
    private static let eager: KeySetSchedule = {
        var schedule = KeySetSchedule()
        schedule.unknownKeyInterval = .zero
        return schedule
    }()

    private func with(
        _ provider: Provider, _ schedule: KeySetSchedule = eager,
        _ body: (HTTPServer, RemoteKeySet, AccessTokenVerifier) async throws -> Void
    ) async throws {
        try await HTTPServer.run(provider.handler) { server in
            let policy = try DestinationPolicy(allowedNetworks: ["127.0.0.1"], allowsPlainHTTP: true)
            let transport = HTTPTransport(HTTPTransportConfiguration(destinations: policy), logger: logger)
            let keys = RemoteKeySet(
                url: server.url + "/keys", exchange: transport, transport: transport, schedule: schedule, logger: logger
            )
            let verifier = try await AccessTokenVerifier(
                configuration: AccessTokenConfiguration(), remoteKeys: keys, logger: logger)
            try await withThrowingTaskGroup { group in
                group.addTask { await keys.run() }
                try await body(server, keys, verifier)
                group.cancelAll()
            }
        }
    }

    private func refusal(
        _ key: KeyPair, by verifier: AccessTokenVerifier
    ) async throws -> AccessTokenError.Code? {
        let token = try await key.sign(TestClaims())
        do throws(AccessTokenError) {
            _ = try await verifier.verify(token)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("Keys are fetched, rotated, and kept while the URL fails")
    func rotation() async throws {
        let (old, new) = (try await KeyPair.ec("old"), try await KeyPair.rsa("new"))
        let provider = Provider()
        provider.publish(old)
        try await with(provider) { server, _, verifier in
            #expect(try await refusal(old, by: verifier) == nil)
            #expect(try await refusal(new, by: verifier) == .unknownKey)
            #expect(server.requests.first?.uri == "/keys")

            provider.publish(old, new)
            #expect(try await refusal(new, by: verifier) == nil)

            for (status, body) in [
                (500, ""), (302, ""), (200, "no JSON"), (200, String(repeating: " ", count: 300_000)),
            ] {
                provider.set(status, body)
                #expect(try await refusal(KeyPair.ec("other"), by: verifier) == .unknownKey)
                #expect(try await refusal(old, by: verifier) == nil)
                #expect(try await refusal(new, by: verifier) == nil)
            }

            let newest = try await KeyPair.ec("newest")
            provider.publish(newest)
            #expect(try await refusal(newest, by: verifier) == nil)
            #expect(try await refusal(old, by: verifier) == .unknownKey)
        }
    }

    @Test("A key that comes right behind a fetch is found")
    func rotationAtOnce() async throws {
        let (old, new) = (try await KeyPair.ec("old"), try await KeyPair.ec("new"))
        let provider = Provider()
        provider.publish(old)
        try await with(provider, KeySetSchedule()) { _, _, verifier in
            let before = try await refusal(old, by: verifier)
            provider.publish(new)
            let after = try await refusal(new, by: verifier)
            #expect(before == nil && after == nil)
        }
    }

    @Test("Unknown key ids cause one fetch in their interval, whoever sends how many")
    func unknownKeys() async throws {
        let known = try await KeyPair.ec("known")
        let provider = Provider()
        provider.publish(known)
        try await with(provider, KeySetSchedule()) { server, keys, verifier in
            let refusal = try await refusal(known, by: verifier)
            #expect(refusal == nil)
            await withTaskGroup { group in
                for index in 0..<50 {
                    group.addTask { #expect(await keys.key(.es256, "unknown-\(index)") == nil) }
                }
            }
            #expect(server.requests.count == 2, "the first, and one for all of them")
        }
        try await with(provider) { server, keys, _ in
            try await eventually("the first fetch") { server.requests.count == 1 }
            await withTaskGroup { group in
                for index in 0..<50 { group.addTask { _ = await keys.key(.es256, "unknown-\(index)") } }
            }
            // They waited together, for few fetches.
            #expect(server.requests.count <= 10)
        }
    }

    @Test("A key set that is no longer fresh is fetched without a token")
    func background() async throws {
        let provider = Provider()
        provider.publish(try await KeyPair.ec("k"))
        var schedule = KeySetSchedule()
        schedule.freshMaximum = .milliseconds(5)
        schedule.freshMinimum = .zero
        schedule.retryInterval = .milliseconds(5)
        try await with(provider, schedule) { server, _, _ in
            try await eventually("three fetches") { server.requests.count >= 3 }
            provider.set(500, "")
            let count = server.requests.count
            try await eventually("fetches after failures") { server.requests.count >= count + 3 }
        }
    }

    @Test("Before the first fetch tokens wait for it; after the end nobody waits")
    func beginningAndEnd() async throws {
        let key = try await KeyPair.ec("k")
        let exchange = InMemoryHTTPExchange { [entry = key.entry] _ in
            HTTPResponse(status: 200, body: Array(#"{"keys":[\#(entry)]}"#.utf8))
        }
        let keys = RemoteKeySet(url: "https://id.example/keys", exchange: exchange, logger: logger)
        await withTaskGroup { group in
            async let early = keys.key(.es256, "k")
            group.addTask { await keys.run() }
            #expect(await early != nil)
            group.cancelAll()
        }
        #expect(await keys.key(.es256, "k") != nil)
        #expect(await keys.key(.es256, "other") == nil)
        #expect(exchange.requests.count == 1)
    }

    @Test("Cache-Control is obeyed within bounds")
    func freshness() {
        let start = ContinuousClock.now
        let expected: [(String?, Int64)] = [
            (nil, 300), ("max-age=600", 600), ("public, Max-Age=\"600\"", 600), ("max-age=1", 60), ("no-cache", 60),
            ("no-store, max-age=600", 60), ("max-age=86400", 3600), ("max-age=-1", 300), ("max-age=x", 300),
            ("max-age=99999999999999999999", 300), ("private", 300),
        ]
        for (value, seconds) in expected {
            var schedule = KeySetSchedule()
            schedule.succeeded(cacheControl: value, now: start)
            #expect(schedule.due == start + .seconds(seconds), "\(value ?? "none")")
        }
        var schedule = KeySetSchedule()
        #expect(schedule.due == nil)
        #expect(schedule.mayFetchForUnknownKey(now: start))
        schedule.began(forUnknownKey: false, now: start)
        #expect(schedule.mayFetchForUnknownKey(now: start), "a new key may come right behind any fetch")
        schedule.began(forUnknownKey: true, now: start)
        #expect(!schedule.mayFetchForUnknownKey(now: start + .seconds(29)))
        #expect(schedule.mayFetchForUnknownKey(now: start + .seconds(30)))
        schedule.failed(now: start)
        #expect(schedule.due == start + .seconds(10))
    }

    @Test("A URL that is none, or plain, and two sources at once are refused at the start")
    func setUp() async throws {
        for url in ["http://id.example/keys", "id.example", "https://user@id.example/", "ftp://id.example/"] {
            #expect(throws: AccessTokenSetupError.self, "\(url)") { try RemoteKeySet(url: url, logger: logger) }
        }
        let keys = try RemoteKeySet(url: "http://id.example/keys", allowsPlainHTTP: true, logger: logger)
        await #expect(throws: AccessTokenSetupError.self) {
            try await AccessTokenVerifier(
                configuration: AccessTokenConfiguration(keySetFile: "/nowhere"), remoteKeys: keys, logger: logger)
        }
    }
}
