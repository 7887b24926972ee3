import EarshotModel
import NIOCore
import NIOWebSocket
import Testing

@testable import GatewayService

@Suite struct PureTests {
    private func frame(_ opcode: WebSocketOpcode, _ bytes: [UInt8], fin: Bool = true, masked: Bool = true)
        -> WebSocketFrame
    {
        let key: WebSocketMaskingKey? = masked ? [1, 2, 3, 4] : nil
        var data = ByteBuffer(bytes: bytes)
        if let key { data.webSocketMask(key) }
        return WebSocketFrame(fin: fin, opcode: opcode, maskKey: key, data: data)
    }

    @Test("Fragments become one message, with control frames in between")
    func fragments() {
        var assembler = MessageAssembler(messageBytesMaximum: 10)
        #expect(assembler.receive(frame(.binary, [1, 2], fin: false)) == .incomplete)
        #expect(assembler.receive(frame(.ping, [9])) == .ping(ByteBuffer(bytes: [9])))
        #expect(assembler.receive(frame(.continuation, [3], fin: false)) == .incomplete)
        #expect(assembler.receive(frame(.continuation, [4])) == .binary(ByteBuffer(bytes: [1, 2, 3, 4])))
    }

    @Test("Fragments that grow past the limit are too large")
    func fragmentsTooLarge() {
        var assembler = MessageAssembler(messageBytesMaximum: 4)
        #expect(assembler.receive(frame(.binary, [1, 2, 3], fin: false)) == .incomplete)
        guard case .violation(.messageTooLarge, _) = assembler.receive(frame(.continuation, [4, 5])) else {
            Issue.record("accepted")
            return
        }
    }

    @Test("Broken rules are protocol errors")
    func violations() {
        let cases: [(WebSocketFrame, WebSocketErrorCode)] = [
            (frame(.binary, [1], masked: false), .protocolError),
            (frame(.continuation, [1]), .protocolError),
            (frame(.connectionClose, [3]), .protocolError),
            (frame(.connectionClose, [0x03, 0xED]), .protocolError),
            (frame(.text, [0xFF, 0xFE]), .dataInconsistentWithMessage),
            (frame(.connectionClose, [0x03, 0xE8, 0xFF]), .dataInconsistentWithMessage),
            (frame(WebSocketOpcode(encodedWebSocketOpcode: 3) ?? .binary, [1]), .protocolError),
        ]
        for (frame, expected) in cases {
            var assembler = MessageAssembler(messageBytesMaximum: 100)
            guard case .violation(let code, _) = assembler.receive(frame) else {
                Issue.record("accepted \(frame)")
                continue
            }
            #expect(code == expected)
        }
    }

    @Test("Reserved bits, and a message within a fragmented one, are protocol errors")
    func reserved() {
        for bit in 0..<3 {
            var assembler = MessageAssembler(messageBytesMaximum: 100)
            var reserved = frame(.binary, [1])
            (reserved.rsv1, reserved.rsv2, reserved.rsv3) = (bit == 0, bit == 1, bit == 2)
            guard case .violation(.protocolError, _) = assembler.receive(reserved) else {
                Issue.record("accepted rsv\(bit + 1)")
                continue
            }
        }
        var assembler = MessageAssembler(messageBytesMaximum: 100)
        _ = assembler.receive(frame(.binary, [1], fin: false))
        guard case .violation(.protocolError, _) = assembler.receive(frame(.binary, [2])) else {
            Issue.record("accepted a second message")
            return
        }
    }

    @Test("Capture time follows the device's pace, not the arrival's jitter")
    func capturePace() {
        var clock = CaptureClock(sampleRate: 16_000, gapMinimum: .seconds(2))
        #expect(clock.advance(samples: 1_600, arrival: 1_000_000) == 900_000)
        #expect(clock.advance(samples: 1_600, arrival: 1_700_000) == 1_000_000)
        #expect(clock.advance(samples: 1_600, arrival: 1_700_000) == 1_100_000)
    }

    @Test("Samples that are no whole number of microseconds add up without a drift")
    func captureDrift() {
        var clock = CaptureClock(sampleRate: 44_100, gapMinimum: .seconds(2))
        for message in 0..<180_000 {
            let capture = clock.advance(samples: 441 * 2 + 1, arrival: 1_000_000)
            if message == 179_999 { #expect(capture - 1_000_000 + 20_022 == 179_999 * 883 * 1_000_000 / 44_100) }
        }
    }

    @Test("A pause of the device moves the capture time, our own pause does not")
    func capturePauses() {
        var clock = CaptureClock(sampleRate: 16_000, gapMinimum: .seconds(2))
        _ = clock.advance(samples: 16_000, arrival: 1_000_000)
        #expect(clock.advance(samples: 16_000, arrival: 7_000_000) == 6_000_000)
        clock.paused(for: 10_000_000)
        #expect(clock.advance(samples: 16_000, arrival: 18_000_000) == 7_000_000)
        #expect(clock.advance(samples: 16_000, arrival: 18_000_000) == 8_000_000)
        // It caught up: from now on a gap is the device's again.
        #expect(clock.advance(samples: 160_000, arrival: 19_000_000) == 9_000_000)
        #expect(clock.advance(samples: 16_000, arrival: 30_000_000) == 29_000_000)
    }

    @Test("Results are judged by their ordinals")
    func results() {
        let session = SessionID.new(at: 0)
        func result(_ kind: LiveResult.Kind, _ ordinal: UInt64, _ count: Int = 1) -> LiveResult {
            LiveResult(kind: kind, session: session, ordinal: ordinal, count: count, text: "")
        }
        var sequence = ResultSequence()
        #expect(sequence.judge(result(.interim, 0)) == .deliver)
        #expect(sequence.judge(result(.final, 0, 2)) == .deliver)
        #expect(sequence.judge(result(.interim, 1)) == .drop)
        #expect(sequence.judge(result(.final, 1)) == .drop)
        #expect(sequence.judge(result(.final, 4)) == .fetch)
        sequence.skip(to: 4)
        #expect(sequence.judge(result(.final, 4)) == .deliver)
        #expect(sequence.next == 5)
    }
}
