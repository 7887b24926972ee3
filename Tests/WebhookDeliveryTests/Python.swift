import Foundation
import TestSupport

/// Runs a short program in the Python environment of the tests, which has independent implementations to test against.
enum Python {
    /// The root of the checkout.
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private static var interpreter: String {
        ProcessInfo.processInfo.environment["EARSHOT_TEST_PYTHON"] ?? "\(repository)/.cache/python/bin/python"
    }

    /// Runs a program whose first argument is a file with the input; returns what it printed last.
    static func run(_ program: String, input: some Encodable) async throws -> String {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("hooks-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let inputFile = directory.appendingPathComponent("input.json")
        try JSONEncoder().encode(input).write(to: inputFile)
        let output = directory.appendingPathComponent("output").path
        let child = try ChildProcess([interpreter, "-c", program, inputFile.path], output: output)
        try await eventually("Python ends", isTrue: { !child.isRunning })
        let text = String(decoding: FileManager.default.contents(atPath: output) ?? Data(), as: UTF8.self)
        return String(text.split(separator: "\n").last ?? "")
    }
}
