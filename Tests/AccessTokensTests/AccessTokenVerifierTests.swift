import FoundationEssentials
import JWTKit
import Logging
import Testing

@testable import AccessTokens

@Suite("A verifier with a shared secret")
struct AccessTokenVerifierTests {
    private let secret = "0123456789abcdef0123456789abcdef"
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private func verifier(_ change: (inout AccessTokenConfiguration) -> Void = { _ in }) async throws
        -> AccessTokenVerifier
    {
        var configuration = AccessTokenConfiguration(hs256Secret: secret)
        change(&configuration)
        return try await AccessTokenVerifier(configuration: configuration, logger: logger)
    }

    private func sign(_ claims: TestClaims, secret: String? = nil) async throws -> String {
        let keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(from: secret ?? self.secret), digestAlgorithm: .sha256)
        return try await keys.sign(claims)
    }

    private func refusal(_ token: String, by verifier: AccessTokenVerifier) async -> AccessTokenError.Code? {
        do {
            _ = try await verifier.verify(token)
            return nil
        } catch {
            #expect(token.isEmpty || !error.message.contains(token), "a message must not repeat the token")
            #expect(!error.message.isEmpty)
            return error.code
        }
    }

    @Test("A good token gives its subject")
    func good() async throws {
        #expect(try await verifier().verify(sign(TestClaims(sub: "user_1-A"))) == "user_1-A")
    }

    @Test("What the minter makes is accepted, with issuer and audience")
    func minted() async throws {
        let configuration = AccessTokenConfiguration(hs256Secret: secret, issuer: "earshot", audience: "devices")
        let token = try await AccessTokenMinter(configuration: configuration).mint(uid: "bob", lifetime: .seconds(60))
        let verifier = try await AccessTokenVerifier(configuration: configuration, logger: logger)
        #expect(try await verifier.verify(token) == "bob")
    }

    @Test("A minted token ends with its lifetime, give or take 2 s")
    func mintedEnds() async throws {
        let configuration = AccessTokenConfiguration(hs256Secret: secret)
        let start = Date(timeIntervalSince1970: 1_800_000_000)
        let token = try await AccessTokenMinter(configuration: configuration, now: { start })
            .mint(uid: "bob", lifetime: .seconds(60))
        let justIn = try await AccessTokenVerifier(
            configuration: configuration, logger: logger, now: { start.addingTimeInterval(60 + 1) })
        let justOut = try await AccessTokenVerifier(
            configuration: configuration, logger: logger, now: { start.addingTimeInterval(60 + 2) })
        #expect(try await justIn.verify(token) == "bob")
        #expect(await refusal(token, by: justOut) == .expired)
    }

    @Test("The minter refuses bad users and impossible lifetimes")
    func minterRefuses() async throws {
        let minter = try await AccessTokenMinter(configuration: AccessTokenConfiguration(hs256Secret: secret))
        await #expect(throws: AccessTokenError.self) { try await minter.mint(uid: "a b", lifetime: .seconds(60)) }
        await #expect(throws: AccessTokenSetupError.self) { try await minter.mint(uid: "a", lifetime: .zero) }
        await #expect(throws: AccessTokenSetupError.self) {
            try await minter.mint(uid: "a", lifetime: .seconds(400 * 24 * 3600))
        }
    }

    @Test("A token may begin 30 s early, and end 2 s late")
    func times() async throws {
        let now = Date().timeIntervalSince1970
        let verifier = try await verifier()
        #expect(await refusal(try sign(TestClaims(exp: now - 60)), by: verifier) == .expired)
        #expect(await refusal(try sign(TestClaims(exp: now - 4)), by: verifier) == .expired)
        #expect(await refusal(try sign(TestClaims(exp: now + 10)), by: verifier) == nil)
        #expect(await refusal(try sign(TestClaims(exp: nil)), by: verifier) == .malformed)
        #expect(await refusal(try sign(TestClaims(nbf: now + 90)), by: verifier) == .notYetValid)
        #expect(await refusal(try sign(TestClaims(nbf: now + 10)), by: verifier) == nil)
        #expect(await refusal(try sign(TestClaims(iat: now + 90)), by: verifier) == .notYetValid)
        #expect(await refusal(try sign(TestClaims(iat: now + 10)), by: verifier) == nil)
    }

    @Test("Issuer and audience are checked when set")
    func issuerAndAudience() async throws {
        let strict = try await verifier {
            $0.issuer = "https://id.example"
            $0.audience = "devices"
        }
        var claims = TestClaims(iss: "https://id.example", aud: ["web", "devices"])
        #expect(await refusal(try sign(claims), by: strict) == nil)
        claims.aud = ["web"]
        #expect(await refusal(try sign(claims), by: strict) == .wrongAudience)
        claims.aud = nil
        #expect(await refusal(try sign(claims), by: strict) == .wrongAudience)
        claims.iss = "https://else.example"
        #expect(await refusal(try sign(claims), by: strict) == .wrongIssuer)
        #expect(await refusal(try sign(claims), by: try verifier()) == nil)
    }

    @Test(
        "Subjects outside the rule are refused",
        arguments: [nil, "", "a b", "a/b", "a{b}", "ä", "a\0b", String(repeating: "a", count: 129)])
    func subjects(subject: String?) async throws {
        #expect(await refusal(try sign(TestClaims(sub: subject)), by: try verifier()) == .invalidSubject)
    }

    @Test("Another secret, a changed payload, and a cut signature do not match")
    func forged() async throws {
        let verifier = try await verifier()
        let other = try await sign(TestClaims(), secret: String(repeating: "x", count: 32))
        #expect(await refusal(other, by: verifier) == .badSignature)

        let good = try await sign(TestClaims()).split(separator: ".").map(String.init)
        let mallory = try await sign(TestClaims(sub: "mallory"), secret: String(repeating: "x", count: 32))
            .split(separator: ".").map(String.init)
        #expect(await refusal("\(good[0]).\(mallory[1]).\(good[2])", by: verifier) == .badSignature)
        #expect(await refusal("\(good[0]).\(good[1]).", by: verifier) == .badSignature)
    }

    @Test(
        "What is not a JWT is malformed, and says so",
        arguments: [
            "x", "a.b", "a.b.c", "a.b.c.d", "..", "e30.e30.e30", "e30=.e30.e30", "bnVsbA.bnVsbA.bnVsbA",
            // {"alg":"none"}, {"alg":"HS512"}, {"alg":"HS256","crit":["x"]}
            "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzUxMiJ9.e30.AAAA",
            "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AAAA",
        ])
    func malformed(token: String) async throws {
        #expect(await refusal(token, by: try verifier()) == .malformed)
    }

    @Test("No token is missing, a huge one is malformed")
    func sizes() async throws {
        let verifier = try await verifier()
        #expect(await refusal("", by: verifier) == .missing)
        #expect(await refusal(String(repeating: "a", count: 8 * 1024 + 1), by: verifier) == .malformed)
    }

    @Test("Development tokens need development mode")
    func development() async throws {
        #expect(await refusal("dev:alice", by: try verifier()) == .developmentTokenRefused)
        let open = try await verifier { $0.developmentMode = true }
        #expect(try await open.verify("dev:alice") == "alice")
        #expect(await refusal("dev:", by: open) == .invalidSubject)
        #expect(await refusal("dev:a b", by: open) == .invalidSubject)
        #expect(try await open.verify(sign(TestClaims(sub: "carol"))) == "carol")
    }

    @Test("Configurations that cannot work are refused at the start, without the secret")
    func setup() async throws {
        await #expect(throws: AccessTokenSetupError.self) {
            try await AccessTokenVerifier(configuration: AccessTokenConfiguration(), logger: logger)
        }
        let short = AccessTokenConfiguration(hs256Secret: "hunter2hunter2")
        let error = await #expect(throws: AccessTokenSetupError.self) {
            try await AccessTokenVerifier(configuration: short, logger: logger)
        }
        #expect(error?.description.contains("14 bytes") == true)
        #expect(error?.description.contains("hunter2") == false)
        #expect(!"\(short)".contains("hunter2"))
        await #expect(throws: AccessTokenSetupError.self) {
            try await AccessTokenMinter(configuration: AccessTokenConfiguration(developmentMode: true))
        }
    }
}
