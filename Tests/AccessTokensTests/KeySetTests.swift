import FoundationEssentials
import JWTKit
import Logging
import Testing

@testable import AccessTokens

@Suite("A verifier with a key set file")
struct KeySetTests {
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// A verifier that looks at its file at every token.
    private func verifier(_ fixture: KeySetFixture, secret: String? = nil) async throws -> AccessTokenVerifier {
        var configuration = AccessTokenConfiguration(hs256Secret: secret, keySetFile: fixture.path)
        configuration.keySetCheckInterval = .zero
        return try await AccessTokenVerifier(configuration: configuration, logger: logger)
    }

    private func refusal(_ token: String, by verifier: AccessTokenVerifier) async -> AccessTokenError.Code? {
        do {
            _ = try await verifier.verify(token)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("ES256 and RS256 tokens are accepted by their kid")
    func bothAlgorithms() async throws {
        let ec = try await KeyPair.ec("e1")
        let rsa = try await KeyPair.rsa("r1")
        let fixture = try KeySetFixture([ec.entry, rsa.entry])
        defer { fixture.remove() }
        let verifier = try await verifier(fixture)
        #expect(try await verifier.verify(ec.sign(TestClaims(sub: "ec"))) == "ec")
        #expect(try await verifier.verify(rsa.sign(TestClaims(sub: "rsa"))) == "rsa")
        #expect(await refusal(try await ec.sign(TestClaims(exp: 1)), by: verifier) == .expired)
    }

    @Test("A stranger's key with a known kid does not match, an unknown kid finds no key")
    func strangers() async throws {
        let ours = try await KeyPair.ec("e1")
        let fixture = try KeySetFixture([ours.entry])
        defer { fixture.remove() }
        let verifier = try await verifier(fixture)
        #expect(await refusal(try await KeyPair.ec("e1").sign(TestClaims()), by: verifier) == .badSignature)
        #expect(await refusal(try await KeyPair.ec("e2").sign(TestClaims()), by: verifier) == .unknownKey)
    }

    @Test("A token without a kid is checked with the one key of its algorithm, if there is exactly one")
    func withoutKeyID() async throws {
        let first = try await KeyPair.ec("e1")
        let second = try await KeyPair.ec("e2")
        let rsa = try await KeyPair.rsa("r1")
        let fixture = try KeySetFixture([first.entry, rsa.entry])
        defer { fixture.remove() }
        let verifier = try await verifier(fixture)
        #expect(await refusal(try await first.signWithoutKeyID(TestClaims()), by: verifier) == nil)
        #expect(await refusal(try await rsa.signWithoutKeyID(TestClaims()), by: verifier) == nil)
        #expect(await refusal(try await second.signWithoutKeyID(TestClaims()), by: verifier) == .badSignature)
        try fixture.write([first.entry, second.entry])
        #expect(await refusal(try await first.signWithoutKeyID(TestClaims()), by: verifier) == .unknownKey)
        #expect(await refusal(try await rsa.signWithoutKeyID(TestClaims()), by: verifier) == .unknownKey)
        #expect(await refusal(try await first.sign(TestClaims()), by: verifier) == nil)
    }

    @Test("Entries without a kid do not spoil a file: a single one serves tokens without a kid, several none")
    func namelessEntries() async throws {
        let nameless = try await KeyPair.ec("")
        let other = try await KeyPair.ec("")
        let named = try await KeyPair.rsa("r1")
        let fixture = try KeySetFixture([nameless.entry.replacing(#""kid":"","#, with: ""), named.entry])
        defer { fixture.remove() }
        let verifier = try await verifier(fixture)
        #expect(await refusal(try await nameless.signWithoutKeyID(TestClaims()), by: verifier) == nil)
        #expect(await refusal(try await KeyPair.ec("e9").sign(TestClaims()), by: verifier) == .unknownKey)
        try fixture.write([nameless.entry, other.entry, named.entry])
        #expect(await refusal(try await nameless.signWithoutKeyID(TestClaims()), by: verifier) == .unknownKey)
        #expect(await refusal(try await named.sign(TestClaims()), by: verifier) == nil)
    }

    @Test("No algorithm can use another one's key")
    func confusion() async throws {
        let rsa = try await KeyPair.rsa("k")
        let ec = try await KeyPair.ec("k")
        let fixture = try KeySetFixture([rsa.entry])
        defer { fixture.remove() }
        let withoutSecret = try await verifier(fixture)
        // The classic attack: an HS256 token made with what everybody knows, the public key's entry.
        let attacker = JWTKeyCollection()
        await attacker.add(hmac: HMACKey(from: rsa.entry), digestAlgorithm: .sha256, kid: "k")
        let forged = try await attacker.sign(TestClaims(), kid: "k")
        #expect(await refusal(forged, by: withoutSecret) == .unknownKey)
        let withSecret = try await verifier(fixture, secret: String(repeating: "s", count: 32))
        #expect(await refusal(forged, by: withSecret) == .badSignature)
        // The kid is known, but belongs to an RSA key.
        #expect(await refusal(try await ec.sign(TestClaims()), by: withoutSecret) == .unknownKey)
    }

    @Test("RS256 without a key set is refused")
    func noKeySet() async throws {
        let configuration = AccessTokenConfiguration(hs256Secret: String(repeating: "s", count: 32))
        let verifier = try await AccessTokenVerifier(configuration: configuration, logger: logger)
        #expect(await refusal(try await KeyPair.rsa("r").sign(TestClaims()), by: verifier) == .unknownKey)
    }

    @Test("A rotated file is read again; a damaged or missing one leaves the old keys")
    func rotation() async throws {
        let old = try await KeyPair.ec("old")
        let new = try await KeyPair.ec("new")
        let fixture = try KeySetFixture([old.entry])
        defer { fixture.remove() }
        let verifier = try await verifier(fixture)
        #expect(await refusal(try await new.sign(TestClaims()), by: verifier) == .unknownKey)

        try fixture.write([old.entry, new.entry])
        #expect(await refusal(try await new.sign(TestClaims()), by: verifier) == nil)

        try fixture.write(text: #"{"keys":[{"kty":"EC""#)
        #expect(await refusal(try await old.sign(TestClaims()), by: verifier) == nil)
        try fixture.removeFile()
        #expect(await refusal(try await new.sign(TestClaims()), by: verifier) == nil)

        try fixture.write([new.entry])
        #expect(await refusal(try await new.sign(TestClaims()), by: verifier) == nil)
        #expect(await refusal(try await old.sign(TestClaims()), by: verifier) == .unknownKey)
    }

    @Test("Between two looks the file is not read")
    func interval() async throws {
        let old = try await KeyPair.ec("old")
        let new = try await KeyPair.ec("new")
        let fixture = try KeySetFixture([old.entry])
        defer { fixture.remove() }
        var configuration = AccessTokenConfiguration(keySetFile: fixture.path)
        configuration.keySetCheckInterval = .seconds(3600)
        let verifier = try await AccessTokenVerifier(configuration: configuration, logger: logger)
        try fixture.write([new.entry])
        #expect(await refusal(try await old.sign(TestClaims()), by: verifier) == nil)
        #expect(await refusal(try await new.sign(TestClaims()), by: verifier) == .unknownKey)
    }

    @Test("Keys for others are ignored, broken keys of ours spoil the file")
    func entries() async throws {
        let ours = try await KeyPair.ec("e1")
        let foreign = [
            #"{"kty":"oct","kid":"a","k":"AAAA"}"#, #"{"kty":"OKP","crv":"Ed25519","kid":"b","x":"AAAA"}"#,
            #"{"kty":"RSA","kid":"c","use":"enc","n":"AAAA","e":"AQAB"}"#,
            #"{"kty":"RSA","kid":"d","alg":"PS256","n":"AAAA","e":"AQAB"}"#, #"{"kty":"EC","crv":"P-384","kid":"f"}"#,
        ]
        let keys = try await KeySet(
            json: Array(#"{"keys":[\#((foreign + [ours.entry]).joined(separator: ","))]}"#.utf8))
        #expect(keys.count == 1)
        #expect(keys.ignored == foreign.count)
        for broken in [
            "", "[]", #"{"keys":[]}"#, #"{"keys":[\#(foreign[0])]}"#, #"{"keys":[\#(ours.entry),\#(ours.entry)]}"#,
            #"{"keys":[{"kty":"RSA","kid":"x","n":"AAAA","e":"AQAB"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-256","kid":"x","x":"AAAA","y":"AAAA"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-256","kid":"x"}]}"#,
            #"{"keys":[\#((0...100).map { #"{"kty":"oct","kid":"\#($0)"}"# }.joined(separator: ","))]}"#,
        ] {
            await #expect(throws: AccessTokenSetupError.self, "\(broken.prefix(80))") {
                try await KeySet(json: Array(broken.utf8))
            }
        }
    }

    @Test("A missing file is an error at the start that names it")
    func missingFile() async throws {
        let configuration = AccessTokenConfiguration(keySetFile: "/nowhere/keys.json")
        let error = await #expect(throws: AccessTokenSetupError.self) {
            try await AccessTokenVerifier(configuration: configuration, logger: logger)
        }
        #expect(error?.description.contains("/nowhere/keys.json") == true)
    }
}
