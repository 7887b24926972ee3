/// Mono audio from, or for, a WAV file.
///
/// It reads PCM of 8, 16, 24 and 32 bits and 32-bit floats, with any number of channels up to 32, in plain and in
/// extensible headers, and writes 16-bit mono PCM. The whole file is held in memory.
package struct WAVFile: Sendable, Equatable {
    /// What becomes of several channels.
    package enum Downmix: Sendable, Equatable {
        /// The mean of all of them.
        case average
        /// One of them, counted from 0.
        case channel(Int)
    }

    /// The largest file read or written, in bytes: nine hours of 16-bit mono audio at 16 kHz.
    package static let bytesMax = 1 << 30
    /// The most channels read; more is no recording of speech.
    package static let channelsMax = 32
    /// The rates read and written, in Hz: those that can be resampled.
    package static let sampleRates = Resampler.sampleRates

    /// The rate of the samples, in Hz.
    package let sampleRate: Int
    /// How many channels the file had; the samples are always mono.
    package let channels: Int
    /// The audio.
    package let samples: [Int16]

    /// Creates a file to write from mono samples.
    ///
    /// - Throws: `AudioCodecError` with `unsupportedFormat` for a rate outside `sampleRates`.
    package init(sampleRate: Int, samples: [Int16]) throws(AudioCodecError) {
        try self.init(sampleRate: sampleRate, channels: 1, samples: samples)
    }

    /// Takes headerless audio: signed 16-bit little-endian mono, as in a `.raw` file.
    ///
    /// - Throws: `AudioCodecError` with `unsupportedFormat` for a rate outside `sampleRates`, `corruptPacket` for an
    /// odd
    ///   number of bytes.
    package init(raw bytes: some Collection<UInt8>, sampleRate: Int) throws(AudioCodecError) {
        try self.init(sampleRate: sampleRate, channels: 1, samples: PCM.samples(littleEndian: bytes))
    }

    init(sampleRate: Int, channels: Int, samples: [Int16]) throws(AudioCodecError) {
        guard Self.sampleRates.contains(sampleRate) else {
            let allowed = "\(Self.sampleRates.lowerBound) to \(Self.sampleRates.upperBound)"
            throw AudioCodecError(
                .unsupportedFormat, "audio of \(sampleRate) Hz is not supported; allowed are \(allowed) Hz")
        }
        self.sampleRate = sampleRate
        self.channels = channels
        self.samples = samples
    }
}
