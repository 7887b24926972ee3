import AudioCodecs
import Testing

@Suite("Resampler")
struct ResamplerTests {
    private static let rates = [8_000, 12_000, 24_000, 32_000, 44_100, 48_000]

    private func resample(_ input: [Int16], from: Int, to: Int, chunks: (Int) -> Int) throws -> [Int16] {
        var resampler = try Resampler(from: from, to: to)
        var output: [Int16] = []
        var start = 0
        var round = 0
        while start < input.count {
            let end = min(input.count, start + chunks(round))
            resampler.process(input[start..<end], into: &output)
            start = end
            round += 1
        }
        resampler.flush(into: &output)
        return output
    }

    @Test("What comes out does not depend on how the input is divided", arguments: rates)
    func chunkIndependence(rate: Int) throws {
        let input = Signal.noise(count: rate / 4 + 13)
        let whole = try resample(input, from: rate, to: 16_000) { _ in .max / 2 }
        let single = try resample(input, from: rate, to: 16_000) { _ in 1 }
        #expect(single == whole)
        var generator = SplitMix(state: UInt64(rate))
        let random = try resample(input, from: rate, to: 16_000) { _ in
            Int.random(in: 1...3_000, using: &generator)
        }
        #expect(random == whole)
        let frames = try resample(input, from: rate, to: 16_000) { round in round.isMultiple(of: 3) ? 160 : 7 }
        #expect(frames == whole)
    }

    @Test("Chunk independence holds in the other direction too", arguments: rates)
    func chunkIndependenceDown(rate: Int) throws {
        let input = Signal.noise(count: 3_001)
        let whole = try resample(input, from: 16_000, to: rate) { _ in .max / 2 }
        let single = try resample(input, from: 16_000, to: rate) { _ in 1 }
        #expect(single == whole)
    }

    @Test("The length is exactly input × ratio, rounded up", arguments: rates, [1, 2, 159, 160, 4_097])
    func sampleCounts(rate: Int, count: Int) throws {
        let output = try resample(Signal.noise(count: count), from: rate, to: 16_000) { _ in 100 }
        #expect(output.count == (count * 16_000 + rate - 1) / rate)
    }

    @Test("Output sample k is the input at time k: no delay, the tone keeps its phase", arguments: rates)
    func aligned(rate: Int) throws {
        let output = try resample(Signal.sine(500, sampleRate: rate, count: rate), from: rate, to: 16_000) { _ in 441 }
        let ideal = Signal.sine(500, sampleRate: 16_000, count: output.count)
        // The edges see the silence before and after the audio.
        #expect(Signal.fidelity(of: output[200..<15_800], to: ideal[200..<15_800]) > 45)
    }

    @Test("Equal rates pass the samples unchanged")
    func identity() throws {
        let input = Signal.noise(count: 1_000)
        #expect(try resample(input, from: 16_000, to: 16_000) { _ in 33 } == input)
    }

    @Test("After a reset or a flush it works as a new one", arguments: [true, false])
    func startsOver(byFlush: Bool) throws {
        let input = Signal.noise(count: 2_000)
        var used = try Resampler(from: 44_100, to: 16_000)
        var ignored: [Int16] = []
        used.process(input.prefix(777), into: &ignored)
        if byFlush { used.flush(into: &ignored) } else { used.reset() }
        var again: [Int16] = []
        used.process(input, into: &again)
        used.flush(into: &again)
        #expect(try resample(input, from: 44_100, to: 16_000) { _ in 2_000 } == again)
    }

    @Test("Flushing without input gives nothing")
    func emptyFlush() throws {
        #expect(try resample([], from: 8_000, to: 16_000) { _ in 1 }.isEmpty)
    }

    @Test("The extremes of the range work", arguments: [(4_000, 192_000), (192_000, 4_000), (191_999, 192_000)])
    func extremes(source: Int, target: Int) throws {
        let input = Signal.noise(count: 20_000)
        let output = try resample(input, from: source, to: target) { _ in 5_000 }
        #expect(output.count == (input.count * target + source - 1) / source)
        #expect(try resample(input, from: source, to: target) { _ in 999 } == output)
    }

    @Test("Rates outside the range are refused by name", arguments: [0, -8_000, 3_999, 192_001, 30_000_000])
    func refused(rate: Int) {
        for (source, target) in [(rate, 16_000), (16_000, rate)] {
            var message: String?
            do { _ = try Resampler(from: source, to: target) } catch { message = error.message }
            #expect(message?.contains("\(rate) Hz; allowed are 4000 to 192000") == true)
        }
    }
}
