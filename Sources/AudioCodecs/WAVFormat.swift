/// The `fmt ` chunk of a WAV file: how its samples are stored.
struct WAVFormat {
    enum Encoding {
        case integer
        case float
    }

    let encoding: Encoding
    let channels: Int
    let sampleRate: Int
    let bitsPerSample: Int

    private var bytesPerSample: Int { bitsPerSample / 8 }

    init(chunk: ArraySlice<UInt8>) throws(AudioCodecError) {
        guard chunk.count >= 16 else {
            throw AudioCodecError(.corruptFile, "the WAV file's fmt chunk has \(chunk.count) bytes; it needs 16")
        }
        let start = chunk.startIndex
        var tag = UInt16(littleEndian: chunk, at: start)
        channels = Int(UInt16(littleEndian: chunk, at: start + 2))
        sampleRate = Int(UInt32(littleEndian: chunk, at: start + 4))
        let blockAlign = Int(UInt16(littleEndian: chunk, at: start + 12))
        bitsPerSample = Int(UInt16(littleEndian: chunk, at: start + 14))
        if tag == 0xFFFE {
            guard chunk.count >= 40 else {
                throw AudioCodecError(
                    .corruptFile, "the WAV file's extensible fmt chunk has \(chunk.count) bytes; it needs 40")
            }
            // The sub-format is a GUID whose first two bytes are the tag that a plain header would have.
            tag = UInt16(littleEndian: chunk, at: start + 24)
        }
        switch (tag, bitsPerSample) {
        case (1, 8), (1, 16), (1, 24), (1, 32): encoding = .integer
        case (3, 32): encoding = .float
        default:
            throw AudioCodecError(
                .unsupportedFormat,
                "WAV format \(tag) with \(bitsPerSample) bits is not supported; "
                    + "allowed are PCM (1) with 8, 16, 24 or 32 bits and float (3) with 32 bits")
        }
        guard (1...WAVFile.channelsMax).contains(channels) else {
            throw AudioCodecError(
                .unsupportedFormat, "the WAV file has \(channels) channels; allowed are 1 to \(WAVFile.channelsMax)")
        }
        guard blockAlign == channels * bitsPerSample / 8 else {
            throw AudioCodecError(
                .corruptFile,
                "the WAV file's block of \(blockAlign) bytes contradicts its \(channels) channels of "
                    + "\(bitsPerSample) bits")
        }
    }

    /// Returns the audio of a `data` chunk as mono samples.
    func samples(in data: ArraySlice<UInt8>, downmix: WAVFile.Downmix) throws(AudioCodecError) -> [Int16] {
        let frameBytes = channels * bytesPerSample
        guard data.count.isMultiple(of: frameBytes) else {
            throw AudioCodecError(
                .corruptFile,
                "the WAV file's \(data.count) bytes of audio are no whole number of \(frameBytes)-byte frames")
        }
        if encoding == .integer, bitsPerSample == 16, channels == 1, downmix == .average {
            return try PCM.samples(littleEndian: data)
        }
        let picked: Range<Int>
        switch downmix {
        case .average: picked = 0..<channels
        case .channel(let channel):
            guard (0..<channels).contains(channel) else {
                throw AudioCodecError(
                    .invalidArgument, "the WAV file has no channel \(channel); allowed are 0 to \(channels - 1)")
            }
            picked = channel..<channel + 1
        }
        return stride(from: data.startIndex, to: data.endIndex, by: frameBytes).map { frame in
            var sum: Int32 = 0
            for channel in picked {
                sum += Int32(sample(in: data, at: frame + channel * bytesPerSample))
            }
            return Int16(sum / Int32(picked.count))
        }
    }

    private func sample(in data: ArraySlice<UInt8>, at index: Int) -> Int16 {
        switch (encoding, bitsPerSample) {
        case (.float, _):
            return PCM.sample(Float(bitPattern: UInt32(littleEndian: data, at: index)))
        case (.integer, 8):
            return (Int16(data[index]) - 128) << 8
        case (.integer, 16):
            return Int16(bitPattern: UInt16(littleEndian: data, at: index))
        case (.integer, 24):
            // Three bytes at the top of 32 bits keep their sign.
            let low = UInt32(data[index]) << 8
            return Self.rounded(low | UInt32(UInt16(littleEndian: data, at: index + 1)) << 16)
        case (.integer, _):
            return Self.rounded(UInt32(littleEndian: data, at: index))
        }
    }

    private static func rounded(_ bits: UInt32) -> Int16 {
        let value = Int64(Int32(bitPattern: bits))
        return Int16(clamping: (value + 0x8000) >> 16)
    }
}

extension FixedWidthInteger {
    /// Reads the integer that is stored at `index`, which the caller has checked.
    init<Bytes: RandomAccessCollection>(
        littleEndian bytes: Bytes, at index: Int
    ) where Bytes.Element == UInt8, Bytes.Index == Int {
        self = 0
        for offset in 0..<Self.bitWidth / 8 {
            self |= Self(truncatingIfNeeded: bytes[index + offset]) << (8 * offset)
        }
    }
}
