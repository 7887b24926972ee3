/// Encodes mono samples to an Ogg Opus file: 32 kbit/s, frames of 20 ms, exact to the sample.
///
/// A rate that Opus does not know is resampled to 48 kHz. What comes out depends on the samples alone, not on how they
/// were divided into calls. Not `Sendable`, as its parts: whoever stores it is its only user.
package struct OggOpusEncoder: ~Copyable {
    /// What speech needs to be as good as it came.
    package static let bitrate = 32_000
    // Half of what libopus can do: the rest costs twice the time for nothing that can be heard at this rate.
    private static let complexity = 5

    private var resampler: Resampler
    private var encoder: OpusEncoder
    private var writer: OggOpusWriter
    private let rate: Int
    /// Samples that wait for a whole frame.
    private var pending: [Int16] = []
    /// Samples so far, at the rate of the input.
    private var count = 0
    private let inputSampleRate: Int
    private let preSkip: Int

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - sampleRate: of the samples, one of `Resampler.sampleRates`.
    ///   - serial: the logical stream's number.
    ///   - comments: `NAME=value` each.
    /// - Throws: `AudioCodecError` with `invalidArgument` for another rate.
    package init(sampleRate: Int, serial: UInt32, comments: [String]) throws(AudioCodecError) {
        let rate = OpusLibrary.sampleRates.contains(sampleRate) ? sampleRate : 48_000
        let resampler = try Resampler(from: sampleRate, to: rate)
        let encoder = try OpusEncoder(
            sampleRate: rate, application: .voip, bitrate: Self.bitrate, complexity: Self.complexity)
        let preSkip = encoder.lookahead * 48_000 / rate
        writer = try OggOpusWriter(
            serial: serial, head: OggOpusHead(preSkip: preSkip, inputSampleRate: sampleRate), comments: comments)
        self.resampler = resampler
        self.encoder = encoder
        self.preSkip = preSkip
        self.rate = rate
        inputSampleRate = sampleRate
    }

    /// Adds samples.
    package mutating func append(_ samples: some Collection<Int16>) throws(AudioCodecError) {
        count += samples.count
        resampler.process(samples, into: &pending)
        try encodeFrames()
    }

    /// Ends the file.
    ///
    /// - Returns: all of it; it plays exactly the samples that were added.
    package consuming func finish() throws(AudioCodecError) -> [UInt8] {
        resampler.flush(into: &pending)
        let due = preSkip + (count * 48_000 + inputSampleRate - 1) / inputSampleRate
        // What the encoder holds back comes out behind the last sample.
        let frame = rate / 50
        let encoded = writer.samples + pending.count * 48_000 / rate
        let missing = max(0, due - encoded) * rate / 48_000
        let total = (pending.count + missing + frame - 1) / frame * frame
        pending.append(contentsOf: repeatElement(0, count: total - pending.count))
        try encodeFrames()
        return writer.finish(trimming: max(0, writer.samples - due))
    }

    private mutating func encodeFrames() throws(AudioCodecError) {
        let frame = rate / 50
        var start = 0
        while pending.count - start >= frame {
            writer.append(try encoder.encode(pending[start..<start + frame]), samples: 960)
            start += frame
        }
        pending.removeFirst(start)
    }
}
