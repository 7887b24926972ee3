import EarshotModel
import Foundation
import TestSupport

/// A process that waits for audio as workers do, beside them.
final class WakeProbe: Sendable {
    private let path: String
    private let process: ChildProcess

    private init(path: String, process: ChildProcess) {
        self.path = path
        self.process = process
    }

    /// Starts it beside a fleet.
    static func started(_ stage: Stage) throws -> WakeProbe {
        let path = "/tmp/earshot-chaos-wakes-\(UUID().uuidString.prefix(8))"
        let program = "\(stage.fleet.binaries)/earshot-chaos"
        let process = try ChildProcess([program, "wakes", "--port", "\(stage.servers.redis.port)"], output: path)
        return WakeProbe(path: path, process: process)
    }

    /// Ends it.
    ///
    /// - Parameter moment: Unix µs that divide its measurements.
    /// - Returns: How late it woke before and after that.
    func stop(dividedAt moment: Int64) -> (before: Wakes, after: Wakes) {
        process.kill()
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        try? FileManager.default.removeItem(atPath: path)
        let lines = text.split(separator: "\n").compactMap(Line.init)
        return (Wakes(lines.filter { $0.woken < moment }), Wakes(lines.filter { $0.woken >= moment }))
    }

    /// How late the process woke, in seconds.
    struct Wakes: Sendable {
        /// Behind the time of an entry.
        let entries: Distribution
        /// Behind the answer to the append of a mark.
        let answers: Distribution

        fileprivate init(_ lines: [Line]) {
            entries = Distribution(lines.filter { $0.kind == "entry" }.map(\.late))
            answers = Distribution(lines.filter { $0.kind == "answer" }.map(\.late))
        }
    }

    fileprivate struct Line {
        let kind: Substring
        let woken: Int64
        let late: Double

        init?(_ text: Substring) {
            let words = text.split(separator: " ")
            guard words.count == 3, let woken = Int64(words[1]), let late = Int64(words[2]) else { return nil }
            kind = words[0]
            self.woken = woken
            self.late = Double(late) / 1e6
        }
    }
}
