/// The two header packets of an Ogg Opus stream (RFC 7845, section 5), for mono without gain.
package struct OggOpusHead: Equatable, Sendable {
    /// Samples at 48 kHz that a decoder throws away before it plays.
    package var preSkip: Int
    /// The rate of the audio before it was encoded, in Hz; for information only.
    package var inputSampleRate: Int
    /// Channels of the output: 1 or 2.
    package var channels: Int

    /// Makes a mono header.
    package init(preSkip: Int, inputSampleRate: Int) {
        self.preSkip = preSkip
        self.inputSampleRate = inputSampleRate
        self.channels = 1
    }

    /// Players allow no more than 16 bits.
    package static let preSkipMax = 65_535

    /// The identification header.
    var encoded: [UInt8] {
        var bytes = Array("OpusHead".utf8)
        bytes += [1, UInt8(channels)]
        bytes += littleEndian(UInt16(clamping: preSkip))
        bytes += littleEndian(UInt32(clamping: inputSampleRate))
        // Output gain 0 dB; channel mapping family 0.
        return bytes + [0, 0, 0]
    }

    /// Reads an identification header.
    ///
    /// - Throws: `AudioCodecError` with `corruptFile`, or `unsupportedFormat` for more than two channels.
    init(decoding bytes: [UInt8]) throws(AudioCodecError) {
        guard bytes.count >= 19, bytes.starts(with: "OpusHead".utf8) else {
            throw AudioCodecError(.corruptFile, "the Ogg stream does not begin with an OpusHead of at least 19 bytes")
        }
        // Versions up to 15 are read alike (RFC 7845, section 5.1).
        guard bytes[8] < 16 else {
            throw AudioCodecError(.unsupportedFormat, "the OpusHead has version \(bytes[8]); allowed are 0 to 15")
        }
        guard bytes[18] == 0, (1...2).contains(bytes[9]) else {
            throw AudioCodecError(
                .unsupportedFormat,
                "the Opus stream has \(bytes[9]) channels in mapping family \(bytes[18]); allowed are 1 or 2 in 0")
        }
        channels = Int(bytes[9])
        preSkip = Int(UInt16(littleEndian: bytes, at: 10))
        inputSampleRate = Int(UInt32(littleEndian: bytes, at: 12))
    }

    /// The comment header.
    static func tags(vendor: String, comments: [String]) -> [UInt8] {
        var bytes = Array("OpusTags".utf8)
        bytes += littleEndian(UInt32(vendor.utf8.count)) + Array(vendor.utf8)
        bytes += littleEndian(UInt32(comments.count))
        for comment in comments { bytes += littleEndian(UInt32(comment.utf8.count)) + Array(comment.utf8) }
        return bytes
    }
}

private func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
