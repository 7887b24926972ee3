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
    /// - Returns: How late it woke before and after that, in seconds.
    func stop(dividedAt moment: Int64) -> (before: Distribution, after: Distribution) {
        process.kill()
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        try? FileManager.default.removeItem(atPath: path)
        var values: (before: [Double], after: [Double]) = ([], [])
        for line in text.split(separator: "\n") {
            let numbers = line.split(separator: " ").compactMap { Int64($0) }
            guard numbers.count == 2 else { continue }
            let seconds = Double(numbers[1]) / 1e6
            if numbers[0] < moment { values.before.append(seconds) } else { values.after.append(seconds) }
        }
        return (Distribution(values.before), Distribution(values.after))
    }
}
