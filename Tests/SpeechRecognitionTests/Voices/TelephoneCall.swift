import Foundation

/// A telephone call of two people, 30 s, and who spoke when.
enum TelephoneCall {
    static func clip() throws -> SpeechClip {
        let contents = try contents("sample.wav")
        guard let header = contents.firstRange(of: Data("data".utf8)) else {
            throw SpeechClip.Missing(description: "sample.wav is no WAV file; run scripts/fetch-test-audio")
        }
        let bytes = [UInt8](contents[(header.upperBound + 4)...])
        let samples = stride(from: 0, to: bytes.count - 1, by: 2).map { index in
            Float(Int16(bitPattern: UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8)) / 32_768
        }
        return SpeechClip(name: "call", words: "", samples: samples)
    }

    /// The turns in the RTTM file beside it.
    static func turns() throws -> [DiarizationError.Turn] {
        String(decoding: try contents("sample.rttm"), as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 7, let start = Double(fields[3]), let length = Double(fields[4]) else { return nil }
            return DiarizationError.Turn(start: start, end: start + length, speaker: String(fields[7]))
        }
    }

    private static func contents(_ name: String) throws -> Data {
        let environment = ProcessInfo.processInfo.environment["EARSHOT_TEST_AUDIO_DIR"]
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        let directory =
            environment.flatMap { $0.isEmpty ? nil : $0 }
            ?? file.deletingLastPathComponent().appendingPathComponent("../../../.cache/test-audio").standardized.path
        guard let contents = FileManager.default.contents(atPath: directory + "/" + name) else {
            throw SpeechClip.Missing(description: "\(directory)/\(name) is missing; run scripts/fetch-test-audio")
        }
        return contents
    }
}
