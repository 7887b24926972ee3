internal import Crypto
import Foundation

/// The five files of the speech engine in a directory that scripts/fetch-speech filled.
///
/// The layout is the wheel's: `moonshine_voice/` and `moonshine_voice.libs/` side by side, because the first library
/// finds the second by its relative path.
package struct SpeechEngineFiles: Sendable {
    struct PinnedFile {
        let path: String
        let byteCount: Int
        let sha256: String
    }

    // Files are hashed in pieces of this size, so that verifying 108 MB takes little memory.
    private static let pieceByteCount = 1 << 20

    static let remedy = "run `earshot setup` (or scripts/fetch-speech)"

    /// The directory that holds the files.
    package let directory: String

    /// Takes the files in a directory, checking that each is there and has its size.
    ///
    /// - Throws: `SpeechEngineError` with `missingFile` or `damagedFile`; the message names the file and the command
    ///   that fetches it.
    package init(directory: String) throws(SpeechEngineError) {
        self.directory = directory
        for file in Self.pinned {
            let path = self.path(of: file)
            let attributes = try? FileManager.default.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
            guard let attributes, let byteCount = attributes[.size] as? NSNumber else {
                throw SpeechEngineError(.missingFile, "the speech engine's file \(path) is missing; \(Self.remedy)")
            }
            guard byteCount.intValue == file.byteCount else {
                throw SpeechEngineError(
                    .damagedFile,
                    "the speech engine's file \(path) is damaged: it has \(byteCount) bytes instead of "
                        + "\(file.byteCount); \(Self.remedy)")
            }
        }
    }

    /// Checks the SHA-256 of all five files; reads 108 MB, blocking the caller.
    ///
    /// - Throws: `SpeechEngineError` with `damagedFile` or `missingFile`; the message names the file and the command
    ///   that fetches it.
    package func verify() throws(SpeechEngineError) {
        for file in Self.pinned {
            let path = path(of: file)
            guard let sum = try? Self.sha256(ofFile: path) else {
                throw SpeechEngineError(
                    .missingFile, "the speech engine's file \(path) cannot be read; \(Self.remedy)")
            }
            guard sum == file.sha256 else {
                throw SpeechEngineError(
                    .damagedFile,
                    "the speech engine's file \(path) is damaged: its SHA-256 is \(sum) instead of \(file.sha256); "
                        + Self.remedy)
            }
        }
    }

    var library: String { directory + "/moonshine_voice/libmoonshine.so" }
    var modelDirectory: String { directory + "/moonshine_voice/assets/tiny-en" }

    private func path(of file: PinnedFile) -> String { directory + "/" + file.path }

    private static func sha256(ofFile path: String) throws -> String {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        var hash = SHA256()
        while let piece = try handle.read(upToCount: pieceByteCount), !piece.isEmpty {
            hash.update(data: piece)
        }
        return hash.finalize().map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
