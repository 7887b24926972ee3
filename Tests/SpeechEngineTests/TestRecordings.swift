import Foundation

/// Recordings of several people; what is missing fails the test with the command that fetches it.
enum TestRecordings {
    /// A telephone call of two people, 30 s at 16 kHz.
    static func telephone() throws -> [Float] {
        try samples(audioDirectory + "/sample.wav", remedy: "run scripts/fetch-test-audio")
    }

    private static let audioDirectory: String = {
        if let directory = ProcessInfo.processInfo.environment["EARSHOT_TEST_AUDIO_DIR"], !directory.isEmpty {
            return directory
        }
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().appendingPathComponent("../../.cache/test-audio").standardized.path
    }()

    // 16 kHz, 16 bit, mono; the audio follows the chunk named "data".
    private static func samples(_ path: String, remedy: String) throws -> [Float] {
        guard let contents = FileManager.default.contents(atPath: path),
            let header = contents.firstRange(of: Data("data".utf8))
        else { throw SpeechFixture.Missing(description: "\(path) is missing; \(remedy)") }
        let bytes = [UInt8](contents[(header.upperBound + 4)...])
        return stride(from: 0, to: bytes.count - 1, by: 2).map { index in
            Float(Int16(bitPattern: UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8)) / 32_768
        }
    }
}
