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

    @Test("A key is 16 bytes in base64")
    func keys() {
        // Of RFC 6455, 1.3.
        #expect(UpgradeForm.isKey("dGhlIHNhbXBsZSBub25jZQ=="))
        #expect(UpgradeForm.isKey("+/+/+/+/+/+/+/+/+/+/+w=="))
        #expect(!UpgradeForm.isKey("dGhlIHNhbXBsZSBub25jZQ"))
        #expect(!UpgradeForm.isKey("dGhlIHNhbXBsZSBub25jZS4u"))
    }
}
