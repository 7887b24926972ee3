import Foundation
import Glibc

/// What a measurement came to, as a line of JSON on standard output.
struct BenchReport: Encodable {
    let name: String
    let requests: Int
    let connections: Int
    let seconds: Double
    /// Processor time of this process, user and system.
    let cpuSeconds: Double

    /// Measures a body that makes requests.
    static func measuring(
        _ name: String, requests: Int, connections: Int, _ body: () async throws -> Void
    ) async rethrows -> BenchReport {
        let start = ContinuousClock.now
        let before = processorTime
        try await body()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return BenchReport(
            name: name, requests: requests, connections: connections, seconds: seconds,
            cpuSeconds: processorTime - before)
    }

    func report() throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        Self.line(String(decoding: try encoder.encode(self), as: UTF8.self))
    }

    static func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    private static var processorTime: Double {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1_000_000
        }
    }
}
