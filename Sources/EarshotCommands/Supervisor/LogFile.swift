import Foundation
import Glibc

/// The log of a server that is not ours to format.
enum LogFile {
    /// A log larger than this at a start is put aside, and the one put aside before is forgotten.
    private static let bytesMaximum = 16 << 20
    private static let tailBytes = 2_000

    /// Puts a large log aside.
    static func rotate(_ path: String) throws {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let size = (attributes?[.size] as? NSNumber)?.intValue, size > bytesMaximum else { return }
        guard rename(path, path + ".previous") == 0 else {
            throw CommandError("\(path) cannot be renamed: \(String(cString: strerror(errno)))")
        }
    }

    /// The last lines.
    static func tail(_ path: String) -> String {
        guard let handle = FileHandle(forReadingAtPath: path), let end = try? handle.seekToEnd() else { return "" }
        try? handle.seek(toOffset: end > UInt64(tailBytes) ? end - UInt64(tailBytes) : 0)
        return String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
    }
}
