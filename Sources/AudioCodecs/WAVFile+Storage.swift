extension WAVFile {
    /// Reads a WAV file.
    ///
    /// - Throws: `AudioCodecError` with `inaccessibleFile`, or as `init(bytes:downmix:)` does.
    package init(path: String, downmix: Downmix = .average) throws(AudioCodecError) {
        try self.init(bytes: AudioFileStorage.contents(path: path, bytesMax: Self.bytesMax), downmix: downmix)
    }

    /// Reads a file of headerless audio: signed 16-bit little-endian mono.
    ///
    /// - Throws: `AudioCodecError` with `inaccessibleFile`, or as `init(raw:sampleRate:)` does.
    package init(rawPath path: String, sampleRate: Int) throws(AudioCodecError) {
        try self.init(raw: AudioFileStorage.contents(path: path, bytesMax: Self.bytesMax), sampleRate: sampleRate)
    }

    /// Returns the audio as a WAV file of 16-bit mono PCM.
    ///
    /// - Throws: `AudioCodecError` with `tooLarge` when it would be over `bytesMax`.
    package func encoded() throws(AudioCodecError) -> [UInt8] {
        let dataBytes = samples.count * 2
        try Self.check(byteCount: dataBytes + 44)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(dataBytes + 44)
        func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
        func append32(_ value: Int) { for shift in [0, 8, 16, 24] { bytes.append(UInt8(value >> shift & 0xFF)) } }
        func append16(_ value: Int) { for shift in [0, 8] { bytes.append(UInt8(value >> shift & 0xFF)) } }
        append("RIFF")
        append32(36 + dataBytes)
        append("WAVEfmt ")
        append32(16)
        append16(1)
        append16(1)
        append32(sampleRate)
        append32(sampleRate * 2)
        append16(2)
        append16(16)
        append("data")
        append32(dataBytes)
        bytes.append(contentsOf: PCM.littleEndianBytes(samples))
        return bytes
    }

    /// Writes the audio as a WAV file of 16-bit mono PCM, replacing what is there only when all is written.
    ///
    /// - Throws: `AudioCodecError` with `tooLarge` or `inaccessibleFile`.
    package func write(path: String) throws(AudioCodecError) {
        try AudioFileStorage.store(encoded(), path: path)
    }
}
