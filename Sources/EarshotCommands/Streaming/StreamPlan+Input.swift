import AudioCodecs
import EarshotClient
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// What is sent: a file's audio in the codec asked for, an Ogg Opus file's own packets, or PCM out of a pipe.
extension StreamPlan {
    /// Standard input, as a microphone's pipe.
    static let pipeName = "-"

    var isPipe: Bool { file == Self.pipeName }

    /// Reads the recording and makes its messages, once for all devices; of a pipe nothing is known but the form.
    ///
    /// - Throws: `AudioCodecError` that says what is wrong with the file, the codec or the rate.
    func stream() throws -> DeviceStream {
        if isPipe {
            return try DeviceStream(samples: [], sampleRate: sampleRate, codec: codec, wireSampleRate: sampleRate)
        }
        if let ogg = try readOgg() {
            guard ogg.samples > 0 else { throw CommandError("\(file) contains no audio") }
            if codec.isOpus { return try DeviceStream(ogg, wireSampleRate: sampleRate) }
            return try stream(of: try ogg.decode(sampleRate: 48_000), at: 48_000)
        }
        let recording =
            if let rawRate {
                try WAVFile(rawPath: file, sampleRate: rawRate)
            } else {
                try WAVFile(path: file)
            }
        guard !recording.samples.isEmpty else { throw CommandError("\(file) contains no audio") }
        return try stream(of: recording.samples, at: recording.sampleRate)
    }

    /// What an upload sends.
    func source(of stream: DeviceStream) -> any UploadSource {
        guard isPipe else { return RecordingSource(stream, speed: speed) }
        return PCMPipeSource(descriptor: dup(STDIN_FILENO), codec: codec, sampleRate: sampleRate)
    }

    private func stream(of samples: [Int16], at rate: Int) throws -> DeviceStream {
        try DeviceStream(samples: samples, sampleRate: rate, codec: codec, wireSampleRate: sampleRate).prepared()
    }

    /// The file when it is Ogg, whatever its name; what cannot be read, or is none, is left to who reads WAV.
    private func readOgg() throws -> OggOpusFile? {
        let magic = Data("OggS".utf8)
        guard rawRate == nil, let handle = FileHandle(forReadingAtPath: file),
            (try? handle.read(upToCount: magic.count)) == magic
        else { return nil }
        let rest = try handle.read(upToCount: OggOpusReader.bytesMax) ?? Data()
        do throws(AudioCodecError) {
            return try OggOpusReader.read([UInt8](magic + rest))
        } catch {
            throw CommandError("\(file) cannot be sent; of Ogg files those of Opus can: \(error.message)")
        }
    }
}
