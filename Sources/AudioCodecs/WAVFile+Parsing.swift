extension WAVFile {
    /// Reads a file that is in memory.
    ///
    /// A `data` chunk whose length was never filled in (0xFFFFFFFF, as programs that write to a pipe leave it)
    /// reaches to the end of the bytes; any other length must be there in full.
    ///
    /// - Throws: `AudioCodecError` with `corruptFile`, `unsupportedFormat`, `tooLarge`, or `invalidArgument` for a
    /// channel
    ///   that the file does not have.
    package init(bytes: [UInt8], downmix: Downmix = .average) throws(AudioCodecError) {
        try Self.check(byteCount: bytes.count)
        guard bytes.count >= 12, bytes[0..<4].elementsEqual("RIFF".utf8), bytes[8..<12].elementsEqual("WAVE".utf8)
        else {
            throw AudioCodecError(.corruptFile, "not a WAV file: it does not begin with RIFF … WAVE")
        }
        var format: WAVFormat?
        var position = 12
        while position + 8 <= bytes.count {
            let name = bytes[position..<position + 4]
            let declared = Int(UInt32(littleEndian: bytes, at: position + 4))
            let start = position + 8
            let rest = bytes.count - start
            if name.elementsEqual("data".utf8) {
                guard let format else {
                    throw AudioCodecError(.corruptFile, "the WAV file has its data chunk before its fmt chunk")
                }
                let length = declared == 0xFFFF_FFFF ? rest : declared
                guard length <= rest else { throw Self.truncated("data", declared: declared, present: rest) }
                let samples = try format.samples(in: bytes[start..<start + length], downmix: downmix)
                try self.init(sampleRate: format.sampleRate, channels: format.channels, samples: samples)
                return
            }
            guard declared <= rest else {
                let name = String(decoding: name, as: UTF8.self)
                throw Self.truncated(name, declared: declared, present: rest)
            }
            if name.elementsEqual("fmt ".utf8) {
                format = try WAVFormat(chunk: bytes[start..<start + declared])
            }
            // Chunks begin at even offsets; an odd one is followed by a byte that its length does not count.
            position = start + declared + declared % 2
        }
        let missing = format == nil ? "neither a fmt nor a data chunk" : "no data chunk"
        throw AudioCodecError(.corruptFile, "the WAV file has \(missing)")
    }

    static func check(byteCount: Int) throws(AudioCodecError) {
        guard byteCount <= bytesMax else {
            throw AudioCodecError(.tooLarge, "the audio file has \(byteCount) bytes; at most \(bytesMax) are allowed")
        }
    }

    private static func truncated(_ name: String, declared: Int, present: Int) -> AudioCodecError {
        AudioCodecError(
            .corruptFile,
            "the WAV file is truncated: its \(name) chunk declares \(declared) bytes, \(present) are there")
    }
}
