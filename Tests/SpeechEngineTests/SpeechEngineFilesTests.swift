import Foundation
import SpeechEngine
import Testing

@Suite("The speech engine's files")
struct SpeechEngineFilesTests {
    private static let relativePaths = [
        "moonshine_voice/assets/tiny-en/encoder_model.ort", "moonshine_voice/assets/tiny-en/decoder_model_merged.ort",
        "moonshine_voice/assets/tiny-en/tokenizer.bin",
    ]

    @Test("The fetched files pass the check of their sums")
    func verifies() throws {
        try SpeechFixture.files().verify()
    }

    @Test("An empty directory gives an error that names a file and both commands")
    func emptyDirectory() throws {
        try withCopy { copy in
            try FileManager.default.removeItem(atPath: copy + "/moonshine_voice")
            let error = try #require(throws: SpeechEngineError.self) { try SpeechEngineFiles(directory: copy) }
            #expect(error.code == .missingFile)
            #expect(error.message.contains(copy + "/moonshine_voice/libmoonshine.so is missing"))
            #expect(error.message.contains("earshot setup"))
            #expect(error.message.contains("scripts/fetch-speech"))
        }
    }

    @Test("A truncated file is named with its size", arguments: relativePaths)
    func truncated(path: String) throws {
        try withCopy { copy in
            try replace(copy + "/" + path, Data(count: 1_000))
            let error = try #require(throws: SpeechEngineError.self) { try SpeechEngineFiles(directory: copy) }
            #expect(error.code == .damagedFile)
            #expect(error.message.contains(path))
            #expect(error.message.contains("1000 bytes"))
            #expect(error.message.contains("scripts/fetch-speech"))
        }
    }

    @Test("A single changed byte is found by verify and named with the command")
    func changedByte() throws {
        try withCopy { copy in
            let path = "moonshine_voice/assets/tiny-en/tokenizer.bin"
            var contents = try Data(contentsOf: URL(fileURLWithPath: copy + "/" + path))
            contents[contents.count / 2] ^= 1
            try replace(copy + "/" + path, contents)
            let files = try SpeechEngineFiles(directory: copy)
            let error = try #require(throws: SpeechEngineError.self) { try files.verify() }
            #expect(error.code == .damagedFile)
            #expect(error.message.contains(path))
            #expect(error.message.contains("earshot setup"))
        }
    }

    @Test("A second engine from another directory is refused by name")
    func secondDirectory() throws {
        let library = try SpeechFixture.library()
        #expect(try SpeechFixture.library() === library)
        try withCopy { copy in
            let files = try SpeechEngineFiles(directory: copy)
            let error = try #require(throws: SpeechEngineError.self) { try SpeechEngineLibrary.load(files) }
            #expect(error.code == .libraryFailure)
            #expect(error.message.contains(SpeechFixture.directory))
            #expect(error.message.contains(copy))
        }
    }

    // Gives a directory that links to the real files one by one.
    private func withCopy(_ body: (String) throws -> Void) throws {
        let manager = FileManager.default
        let copy = manager.temporaryDirectory.appendingPathComponent("speech-\(UUID().uuidString)").path
        defer { try? manager.removeItem(atPath: copy) }
        let source = try SpeechFixture.files().directory
        let libraries =
            ["moonshine_voice/libmoonshine.so"]
            + (try manager.contentsOfDirectory(atPath: source + "/moonshine_voice.libs")).map {
                "moonshine_voice.libs/" + $0
            }
        for path in libraries + Self.relativePaths {
            let target = URL(fileURLWithPath: copy + "/" + path)
            try manager.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try manager.createSymbolicLink(
                at: target, withDestinationURL: URL(fileURLWithPath: source + "/" + path))
        }
        try body(copy)
    }

    private func replace(_ path: String, _ contents: Data) throws {
        try FileManager.default.removeItem(atPath: path)
        try contents.write(to: URL(fileURLWithPath: path))
    }
}
