import EarshotModel
import Testing

@testable import GatewayService

@Suite(.timeLimit(.minutes(2))) struct UpgradeFormTests {
    @Test("What is no WebSocket's request is answered with what it must be, not with 101")
    func refusals() async throws {
        try await GatewayHarness.with { harness in
            for method in ["POST", "PUT", "OPTIONS", "DELETE"] {
                let answer = try await RawDevice.answer(harness, to: RawDevice.request(method: method))
                #expect(answer.hasPrefix("HTTP/1.1 405 "), "\(method): \(answer)")
                #expect(answer.lowercased().contains("allow: get\r\n"))
            }
            let old = try await RawDevice.answer(harness, to: RawDevice.request(version: "HTTP/1.0"))
            #expect(old.hasPrefix("HTTP/1.1 426 "), "\(old)")
            for key in ["x", "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA===", "AAAAAAAAAAAAAAAAAAAA!A=="] {
                let answer = try await RawDevice.answer(harness, to: RawDevice.request(key: key))
                #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(key): \(answer)")
            }
            // NIO itself wants one key.
            let twice = RawDevice.request() + ["Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
            #expect(try await RawDevice.answer(harness, to: twice).hasPrefix("HTTP/1.1 426 "))
            #expect(try await RawDevice.answer(harness, to: RawDevice.request()).hasPrefix("HTTP/1.1 101 "))
        }
    }

    @Test(
        "Who does not finish a request is cut after the time-out",
        arguments: ["", "GET /v4/listen HTTP/1.1\r\nHost:"])
    func unfinished(text: String) async throws {
        var limits = Limits()
        limits.upgradeTimeout = .seconds(1)
        try await GatewayHarness.with(limits: limits) { harness in
            let answer = try await RawDevice.beginning(harness, with: text).untilClosed()
            #expect(!String(decoding: answer, as: UTF8.self).contains("101"))
        }
    }

    @Test("Who does not answer a close frame is cut after the time-out")
    func unanswered() async throws {
        var limits = Limits()
        limits.inactivityTimeout = .seconds(1)
        limits.closeTimeout = .seconds(1)
        try await GatewayHarness.with(limits: limits) { harness in
            // Its last frame is a close with 1001 and a reason.
            let received = try await RawDevice.connect(harness).untilClosed()
            let close = try #require(received.lastIndex(of: 0x88))
            #expect(Array(received[(close + 2)...].prefix(2)) == [0x03, 0xE9])
            #expect(try await harness.untilEnded("alice") == .inactive)
        }
    }

    @Test("A key is 16 bytes in base64")
    func keys() {
        // Of RFC 6455, 1.3.
        #expect(UpgradeForm.isKey("dGhlIHNhbXBsZSBub25jZQ=="))
        #expect(UpgradeForm.isKey("+/+/+/+/+/+/+/+/+/+/+w=="))
        #expect(!UpgradeForm.isKey("dGhlIHNhbXBsZSBub25jZQ"))
        #expect(!UpgradeForm.isKey("dGhlIHNhbXBsZSBub25jZS4u"))
    }
}
