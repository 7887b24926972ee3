import Foundation
import TestSupport

/// Compresses with the system's `gzip`.
enum Gzip {
    static func compress(_ bytes: [UInt8]) async throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.appending(path: "earshot-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path + ".gz") }
        try Data(bytes).write(to: URL(filePath: path))
        let process = try ChildProcess(["gzip", path])
        try await eventually("gzip to end") { !process.isRunning }
        return try Array(Data(contentsOf: URL(filePath: path + ".gz")))
    }
}
