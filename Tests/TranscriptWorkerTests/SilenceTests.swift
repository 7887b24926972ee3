import EarshotModel
import TestSupport
import Testing

@Suite("Transcript worker: silence") struct SilenceTests {
    @Test("M11: silence is committed while the session goes on, never more than some seconds behind")
    func committed() async throws {
        try await SpeakingDevice.with(interimInterval: nil, recognizer: LengthRecognizer()) { device in
            for second in 1...30 {
                for _ in 0..<10 { try await device.pause() }
                guard second > 7 else { continue }
                // Seven seconds: the five after which silence is committed, and what voice activity looks ahead.
                try await eventually("the silence before is committed") {
                    try await device.committed >= UInt64((second - 7) * 10)
                }
            }
            #expect(device.events.allSatisfy { $0.segments == nil })
        }
    }
}
