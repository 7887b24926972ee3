import EarshotModel
import Foundation
import HTTPTransport
import Testing
import WebhookDelivery

@Suite struct SigningTests {
    /// What a receiver gets, for the Python programs.
    private struct Received: Encodable {
        var headers: [String: String]
        var body: String
        var secret: String
        var publicKey = ""
    }

    private static let vectorKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private let body = #"{"type":"transcript.segments","data":{"text":"ünïcode 😀"}}"#

    private func headers(_ keys: [SigningKey], body: String, at time: Int64) -> [String: String] {
        let fields = WebhookSignature.headers(id: "msg_1", timestamp: time, body: Array(body.utf8), keys: keys)
        return Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) })
    }

    private var now: Int64 { WallClock.microseconds / 1_000_000 }

    @Test("The fixed vector of operations.md 1.1")
    func vector() throws {
        let fields = WebhookSignature.headers(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8),
            keys: [try SigningKey(Self.vectorKey)])
        #expect(
            fields == [
                HTTPHeader(name: "webhook-id", value: "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                HTTPHeader(name: "webhook-timestamp", value: "1614265330"),
                HTTPHeader(
                    name: "webhook-signature", value: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
            ])
    }

    private static let verify = """
        import json, sys
        from standardwebhooks import Webhook
        from svix.webhooks import Webhook as Svix
        m = json.load(open(sys.argv[1]))
        results = []
        for make in (Webhook, Svix):
            try:
                make(m["secret"]).verify(m["body"], m["headers"])
                results.append("accepted")
            except Exception as error:
                results.append(type(error).__name__)
        print(",".join(results))
        """

    @Test("Both PyPI libraries accept a delivery, with one key, in a rotation, and beside an ed25519 signature")
    func accepted() async throws {
        let old = SigningKey.newShared()
        let new = SigningKey.newShared()
        let asymmetric = SigningKey.newEd25519()
        for (keys, secret) in [([old], old), ([new, old], old), ([new, old], new), ([asymmetric, new], new)] {
            let headers = headers(keys, body: body, at: now)
            #expect(
                headers["webhook-signature"]?.split(separator: " ", omittingEmptySubsequences: false).count
                    == keys.count)
            let verdict = try await Python.run(
                Self.verify, input: Received(headers: headers, body: body, secret: secret.text))
            #expect(verdict == "accepted,accepted")
        }
    }

    @Test("Both refuse another key, another body and an old time")
    func refused() async throws {
        let key = SigningKey.newShared()
        let good = headers([key], body: body, at: now)
        let refused = "WebhookVerificationError,WebhookVerificationError"
        for received in [
            Received(headers: good, body: body, secret: SigningKey.newShared().text),
            Received(headers: good, body: body + " ", secret: key.text),
            Received(headers: headers([key], body: body, at: now - 400), body: body, secret: key.text),
        ] {
            #expect(try await Python.run(Self.verify, input: received) == refused)
        }
    }

    @Test("An independent library verifies v1a with the public key")
    func ed25519() async throws {
        let key = SigningKey.newEd25519()
        let program = """
            import base64, json, sys
            from nacl.signing import VerifyKey
            m = json.load(open(sys.argv[1]))
            assert m["publicKey"].startswith("whpk_")
            h = m["headers"]
            version, signature = h["webhook-signature"].split(",", 1)
            message = (h["webhook-id"] + "." + h["webhook-timestamp"] + "." + m["body"]).encode()
            VerifyKey(base64.b64decode(m["publicKey"][5:])).verify(message, base64.b64decode(signature))
            secret = base64.b64decode(m["secret"][5:])
            from nacl.signing import SigningKey
            assert bytes(SigningKey(secret[:32]).verify_key) == secret[32:]
            print(version)
            """
        let received = Received(
            headers: headers([key], body: body, at: now), body: body, secret: key.text, publicKey: key.verifyingText)
        #expect(try await Python.run(program, input: received) == "v1a")
    }

    @Test("A body that is no text: the raw signature by hand, the digest's by the library")
    func binary() async throws {
        let key = SigningKey.newShared()
        let bytes = (0..<4_000).map { UInt8(truncatingIfNeeded: $0 &* 151) }
        var fields = WebhookSignature.headers(id: "a-1", timestamp: now, body: bytes, keys: [key])
        fields += WebhookSignature.digestHeaders(id: "a-1", timestamp: now, body: bytes, keys: [key])
        let program = """
            import base64, hashlib, hmac, json, sys
            from standardwebhooks import Webhook
            m = json.load(open(sys.argv[1]))
            h, body = m["headers"], base64.b64decode(m["body"])
            key = base64.b64decode(m["secret"][6:])
            signed = (h["webhook-id"] + "." + h["webhook-timestamp"] + ".").encode() + body
            expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            assert h["webhook-signature"] == expected
            digest = h["Earshot-Content-SHA256"]
            assert digest == hashlib.sha256(body).hexdigest()
            h["webhook-signature"] = h["Earshot-Digest-Signature"]
            if "parse_json" in Webhook.verify.__code__.co_varnames:
                Webhook(m["secret"]).verify(digest, h, parse_json=False)
            d = (h["webhook-id"] + "." + h["webhook-timestamp"] + "." + digest).encode()
            signed = base64.b64encode(hmac.new(key, d, hashlib.sha256).digest()).decode()
            assert h["Earshot-Digest-Signature"] == "v1," + signed
            print("accepted")
            """
        let received = Received(
            headers: Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) }),
            body: Data(bytes).base64EncodedString(), secret: key.text)
        #expect(try await Python.run(program, input: received) == "accepted")
    }

    @Test("Keys survive their text form")
    func text() throws {
        for key in [SigningKey.newShared(), .newEd25519()] { #expect(try SigningKey(key.text) == key) }
        let seed = [UInt8](repeating: 7, count: 32)
        #expect(try SigningKey("whsk_" + Data(seed).base64EncodedString()) == .ed25519(seed: seed))
        #expect(try SigningKey.publicKey(SigningKey.newEd25519().verifyingText).count == 32)
    }

    @Test(
        "Texts that are no key are refused, and not repeated in the refusal",
        arguments: [
            "", "secret", "whsec_", "whsec_%%%", "whsk_AAAA", "whsec_" + Data(count: 23).base64EncodedString(),
            "whsec_" + Data(count: 65).base64EncodedString(), "whsk_" + Data(count: 64).base64EncodedString(),
        ])
    func refusedText(text: String) throws {
        let error = #expect(throws: WebhookError.self) { try SigningKey(text) }
        #expect(error?.code == .invalidKey)
        if text.count > 8 { #expect(error?.message.contains(text.dropFirst(6)) == false) }
    }

    @Test("Shared secrets of 24 and of 64 bytes are taken", arguments: [24, 64])
    func bounds(count: Int) throws {
        #expect(throws: Never.self) { try SigningKey("whsec_" + Data(count: count).base64EncodedString()) }
    }
}
