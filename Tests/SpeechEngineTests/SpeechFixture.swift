import Foundation
import SpeechEngine

/// The engine's real files and some speech; what is missing fails the test with the command that fetches it.
enum SpeechFixture {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    static let directory: String = {
        if let directory = ProcessInfo.processInfo.environment["EARSHOT_SPEECH_DIR"], !directory.isEmpty {
            return directory
        }
        let file = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        return file.deletingLastPathComponent().appendingPathComponent("../../.cache/speech").standardized.path
    }()

    static func files() throws -> SpeechEngineFiles {
        try SpeechEngineFiles(directory: directory)
    }

    static func library() throws -> SpeechEngineLibrary {
        try SpeechEngineLibrary.load(try files())
    }

    /// Ten seconds that begin with "Ever tried" and go on with "Ever failed" and "No matter".
    static func beckett() throws -> [Float] {
        let path = directory + "/moonshine_voice/assets/beckett.wav"
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw Missing(description: "\(path) is missing; run `earshot setup` (or scripts/fetch-speech)")
        }
        // 16 kHz, 16 bit, mono behind a header of 44 bytes; the script has checked the file's sum.
        let samples = bytes.dropFirst(44)
        return stride(from: samples.startIndex, to: samples.endIndex - 1, by: 2).map { index in
            Float(Int16(bitPattern: UInt16(samples[index]) | UInt16(samples[index + 1]) << 8)) / 32_768
        }
    }
}
