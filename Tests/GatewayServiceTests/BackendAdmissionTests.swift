import EarshotClient
import EarshotModel
import GatewayService
import TestSupport
import Testing

@Suite struct BackendAdmissionTests {
    private func refusal(
        _ harness: GatewayHarness, _ query: String = "uid=alice", key: String? = BackendPeer.key,
        headers: [(String, String)] = []
    ) async -> UpgradeRefusal? {
        do {
            let peer = try await BackendPeer.connect(harness, query, key: key, headers: headers)
            peer.connection.abort()
            return nil
        } catch {
            return (error as? DeviceConnectionError)?.refusal
        }
    }

    @Test("Without a service key nobody comes in, and the answer says what is missing")
    func keys() async throws {
        try await GatewayHarness.withDoor { harness in
            #expect(await refusal(harness) == nil)
            let missing = await refusal(harness, key: nil)
            #expect(missing?.status == 401)
            #expect(missing?.body.contains("SERVICE_KEY") == true)
            for wrong in ["nonsense", BackendPeer.key + "x", "dev:alice", String(BackendPeer.key.dropLast())] {
                #expect(await refusal(harness, key: wrong)?.status == 401)
            }
            let malformed = await refusal(harness, key: nil, headers: [("Authorization", BackendPeer.key)])
            #expect(malformed?.status == 401)
            for query in ["", "uid=", "uid=a%2Fb", "uid=alice&sample_rate=fast"] {
                #expect(await refusal(harness, query)?.status == 400, "\(query)")
            }
        }
    }

    @Test("A door that nobody opened is closed, with the reason")
    func closed() async throws {
        try await GatewayHarness.with { harness in
            let refused = await refusal(harness)
            #expect(refused?.status == 403)
            #expect(refused?.body.contains("no service key is configured") == true)
        }
    }

    @Test("On a network declared internal no key is needed, but a web page does not get in")
    func internalNetwork() async throws {
        let door = try #require(BackendDoor(isInternalNetwork: true))
        try await GatewayHarness.with(origins: ["https://app.example"], backend: door) { harness in
            #expect(await refusal(harness, key: nil) == nil)
            #expect(await refusal(harness, key: nil, headers: [("Origin", "https://evil.example")])?.status == 403)
        }
    }

    @Test(
        "What the contract wants closed after the upgrade is closed with 1008",
        arguments: [
            ("sample_rate=7999", "8000 to 48000"), ("sample_rate=48001", "8000"), ("sample_rate=0", "8000"),
            ("sample_rate=30000000", "8000"), ("audio_timeline=1", "allowed: 2"), ("audio_timeline=x", "allowed: 2"),
        ])
    func closeCodes(query: String, reason: String) async throws {
        try await GatewayHarness.withDoor { harness in
            let closed = try await BackendPeer.connect(harness, "uid=alice&\(query)").untilClosed()
            #expect(closed.code == 1008)
            #expect(closed.reason.contains(reason))
        }
    }

    @Test("The second version of the timeline is acknowledged before anything else")
    func timeline() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(
                harness, "uid=alice&sample_rate=16000&client_kind=phone&audio_timeline=2")
            let first = await peer.next()
            #expect(first?.opcode == 202)
            #expect(first?.text == #"{"type": "audio_timeline_ack", "version": 2}"#)
        }
    }
}
