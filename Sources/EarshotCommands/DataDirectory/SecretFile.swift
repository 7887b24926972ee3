import Foundation
import Glibc

/// A file with one secret, readable by its owner only.
enum SecretFile {
    /// Random bytes of a new secret; twice as many hexadecimal digits.
    private static let byteCount = 32

    /// Reads the secret; nil when the file does not exist.
    ///
    /// - Throws: `CommandError` when it may not be read or is empty.
    static func read(_ path: String) throws -> String? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("\(path) may not be read by this user")
        }
        let secret = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !secret.isEmpty else { throw CommandError("\(path) is empty; it should hold a secret") }
        return secret
    }

    /// Reads the secret, or makes one.
    static func readOrCreate(_ path: String) throws -> String {
        if let secret = try read(path) { return secret }
        let secret = random()
        try write(secret, to: path)
        return secret
    }

    /// 256 random bits as hexadecimal digits: nothing in them needs quoting in URLs, SQL or configuration files.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<byteCount).map { _ in
            let digits = String(UInt8.random(in: .min ... .max, using: &generator), radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// Replaces the file in one step; it is never there in part, and never readable by others.
    static func write(_ text: String, to path: String) throws {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path) }
        defer { close(descriptor) }
        let bytes = Array((text + "\n").utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0,
            rename(temporary, path) == 0
        else { throw Self.failure(path) }
    }

    private static func failure(_ path: String) -> CommandError {
        CommandError("\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
}
