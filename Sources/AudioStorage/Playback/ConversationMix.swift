import AudioCodecs

/// One track of mono samples into which parts are put at their times; where two devices spoke at once, both are heard.
package struct ConversationMix: Sendable {
    /// Samples a second of the track.
    package let sampleRate: Int
    /// The track so far.
    package private(set) var samples: [Int16] = []
    /// Where the last part of a session ended, in samples.
    private var ends: [String: (number: UInt64, end: Int)] = [:]

    /// The longest track: what a WAV file may hold, nine hours at 16 kHz.
    package static let samplesMax = WAVFile.bytesMax / 2 - 64

    // Parts that follow each other this closely, in µs, are one stream whose clock was rounded.
    private static let seamMaximum: Int64 = 100_000

    /// An empty track.
    package init(sampleRate: Int) { self.sampleRate = sampleRate }

    /// Adds a part.
    ///
    /// - Parameters:
    ///   - part: its samples.
    ///   - session: whose it is.
    ///   - number: its number there.
    ///   - start: µs from the track's beginning.
    /// - Throws: `AudioStorageError` with `tooLarge`, or `AudioCodecError`.
    package mutating func add(
        _ part: StoredAudioReader.Samples, session: String, number: UInt64, at start: Int64
    ) throws {
        var converted: [Int16] = []
        var resampler = try Resampler(from: part.sampleRate, to: sampleRate)
        resampler.process(part.samples, into: &converted)
        resampler.flush(into: &converted)
        var place = Int(start * Int64(sampleRate) / 1_000_000)
        let seam = Int(Self.seamMaximum * Int64(sampleRate) / 1_000_000)
        if let known = ends[session], known.number < number, abs(known.end - place) <= seam { place = known.end }
        let end = place + converted.count
        guard end <= Self.samplesMax else {
            throw AudioStorageError(
                .tooLarge,
                "the conversation is longer than \(Self.samplesMax / sampleRate) s, the most that one file holds")
        }
        if samples.count < end { samples.append(contentsOf: repeatElement(0, count: end - samples.count)) }
        for (offset, sample) in converted.enumerated() {
            let sum = Int(samples[place + offset]) + Int(sample)
            samples[place + offset] = Int16(clamping: sum)
        }
        ends[session] = (number, end)
    }
}
