import EarshotModel
import NIOCore
import Testing

@testable import GatewayService

@Suite struct BackendTimelineTests {
    private static let second: Int64 = 1_000_000
    private static let start: Int64 = 1_700_000_000 * second
    private let arrival = start + 3600 * second

    private func timeline(isExact: Bool, limits: Limits = Limits()) -> BackendTimeline {
        BackendTimeline(sampleRate: 8_000, isExact: isExact, limits: limits)
    }

    private func pcm(_ seconds: Double, _ value: UInt8 = 1) -> ByteBuffer {
        ByteBuffer(repeating: value, count: Int(seconds * 8_000) * 2)
    }

    /// Accepts audio at seconds from the start; the answer's time is in seconds from there, too.
    private func accept(
        _ timeline: inout BackendTimeline, _ time: Double?, _ pcm: ByteBuffer
    ) -> (time: Double?, bytes: Int, overlap: AudioRuns.Overlap?) {
        let result = timeline.accept(
            time: time.map { Self.start + Int64($0 * 1_000_000) }, pcm: pcm, arrival: arrival)
        let capture = result.piece.map { Double($0.capture - Self.start) / 1_000_000 }
        return (capture, result.piece?.pcm.readableBytes ?? 0, result.overlap)
    }

    @Test("Messages without samples say nothing about time")
    func emptyMessages() {
        var timeline = timeline(isExact: true)
        #expect(accept(&timeline, 0, pcm(1)).time == 0)
        for offset in 1...100 {
            let empty = accept(&timeline, Double(offset * 60), ByteBuffer())
            #expect(empty.time == nil && empty.overlap == nil)
        }
        let next = accept(&timeline, 1, pcm(1))
        #expect(next.time == 1 && next.bytes == 16_000 && next.overlap == nil)
    }

    @Test("Jittering timestamps follow the audio's own pace, gaps are kept, and time never goes back")
    func firstVersion() {
        var timeline = timeline(isExact: false)
        #expect(accept(&timeline, 0, pcm(1)).time == 0)
        #expect(accept(&timeline, 1.1, pcm(1)).time == 1)
        #expect(accept(&timeline, 1.9, pcm(1)).time == 2)
        #expect(accept(&timeline, 3.5, pcm(1)).time == 3.5)
        #expect(accept(&timeline, 1, pcm(1)).time == 4.5)
        #expect(accept(&timeline, nil, pcm(1)).time == 3599)
    }

    @Test("A timestamp out of the far future is not believed")
    func future() {
        for isExact in [false, true] {
            var timeline = timeline(isExact: isExact)
            #expect(accept(&timeline, 3598, pcm(1)).time == 3598)
            #expect(accept(&timeline, 400_000, pcm(1)).time == 3599)
            #expect(accept(&timeline, 3600, pcm(1)).time == 3600)
        }
    }

    @Test("The second version's times are exact: a gap is a gap, a millisecond is none")
    func gaps() {
        var timeline = timeline(isExact: true)
        #expect(accept(&timeline, 0, pcm(1)).time == 0)
        #expect(accept(&timeline, 1.0005, pcm(1)).time == 1)
        #expect(accept(&timeline, 2.1, pcm(1)).time == 2.1)
        #expect(accept(&timeline, 3.1, pcm(1)).time == 3.1)
    }

    @Test("What is sent again is taken once, and what follows it is kept")
    func replays() {
        var timeline = timeline(isExact: true)
        _ = accept(&timeline, 0, pcm(1, 1))
        _ = accept(&timeline, 1, pcm(1, 2))
        let again = accept(&timeline, 0, pcm(1, 1))
        #expect(again.overlap == .replay)
        #expect(again.bytes == 0)
        // The second second again, and a half more.
        var longer = pcm(1, 2)
        longer.writeImmutableBuffer(pcm(0.5, 3))
        let trimmed = accept(&timeline, 1, longer)
        #expect(trimmed.overlap == .trimmed)
        #expect(trimmed.time == 2)
        #expect(trimmed.bytes == 8_000)
        // Other bytes for what was taken are dropped; what goes beyond stays.
        let conflict = accept(&timeline, 2, pcm(1, 9))
        #expect(conflict.overlap == .conflict)
        #expect(conflict.time == 2.5)
        #expect(conflict.bytes == 8_000)
        #expect(accept(&timeline, 0.25, pcm(0.5, 7)).bytes == 0)
    }

    @Test("Audio of an earlier run is known again; what is too old to be compared is dropped")
    func history() {
        var limits = Limits()
        limits.backendReplayBytesMaximum = 40_000
        var timeline = timeline(isExact: true, limits: limits)
        _ = accept(&timeline, 0, pcm(1, 1))
        _ = accept(&timeline, 5, pcm(1, 2))
        #expect(accept(&timeline, 0, pcm(1, 1)).overlap == .replay)
        _ = accept(&timeline, 6, pcm(1, 3))
        #expect(accept(&timeline, 0, pcm(1, 1)).overlap == .conflict)
        #expect(accept(&timeline, 6, pcm(1, 3)).overlap == .replay)
        for second in 7..<20 { #expect(accept(&timeline, Double(second), pcm(1, 4)).time == Double(second)) }
        #expect(accept(&timeline, 19, pcm(1, 4)).overlap == .replay)
    }
}
