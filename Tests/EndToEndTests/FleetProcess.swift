import Foundation
import TestSupport

/// A whole fleet under `earshot up`, in a data directory of its own, driven from outside.
final class FleetProcess: Sendable {
    /// What `up --json` printed.
    struct Ready: Decodable, Sendable {
        let ready: Bool
        let listen: String
        let admin: String
        let pids: [String: [Int32]]
    }

    let ready: Ready
    let directory: String
    private let supervisor: ChildProcess

    /// The directory this build's executables lie in.
    static let binaries = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .path

    /// Starts a fleet and waits until it is ready; on a directory of an earlier one when `directory` names it.
    init(
        workers: String = "transcript=1", arguments: [String] = [], directory earlier: String? = nil
    ) async throws {
        directory = earlier ?? "/tmp/earshot-e2e-\(UUID().uuidString.prefix(8))"
        let output = "\(directory).log"
        try? FileManager.default.removeItem(atPath: output)
        let process = try ChildProcess(
            [
                "\(Self.binaries)/earshot", "up", "--data-dir", directory, "--listen", "127.0.0.1:0", "--admin",
                "127.0.0.1:0", "--dev-auth", "--workers", workers, "--separate", "--json",
            ] + arguments, output: output)
        supervisor = process
        ready = try await eventually(within: .seconds(180), "the fleet is ready (see \(output))") {
            guard process.isRunning else {
                throw ChildProcess.Failure("earshot up ended: \(Self.tail(output))")
            }
            let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            guard
                let line = text.split(separator: "\n").first(where: {
                    $0.hasPrefix("{\"") && $0.contains("\"listen\"") && $0.contains("\"pids\"")
                })
            else { return nil }
            return try JSONDecoder().decode(Ready.self, from: Data(line.utf8))
        }
    }

    deinit {
        // A test that has thrown did not stop it: killed alone, the supervisor would leave its children.
        guard supervisor.isRunning else { return }
        supervisor.kill()
        for pid in ready.pids.values.joined() { kill(pid, SIGKILL) }
    }

    /// Asks it to stop as Ctrl-C does and waits for its end.
    func stop() async throws {
        let pids = try await pids().values.flatMap { $0 }
        supervisor.send(SIGINT)
        try await eventually(within: .seconds(90), "the supervisor's end") { !supervisor.isRunning }
        try await eventually(within: .seconds(10), "the end of every child") { pids.allSatisfy { kill($0, 0) != 0 } }
        try? FileManager.default.removeItem(atPath: directory)
        try? FileManager.default.removeItem(atPath: "\(directory).log")
    }

    /// Kills the supervisor as the kernel would; its children live on.
    func killSupervisor() { supervisor.kill() }

    /// The children's current process ids.
    func pids() async throws -> [String: [Int32]] {
        let text = try await HTTPGet.text("\(ready.admin)/pids")
        return try JSONDecoder().decode([String: [Int32]].self, from: Data(text.utf8))
    }

    /// The process of a role that has audio in hand and has committed some; `nil` while none has.
    func worker(_ role: String, of count: Int) async throws -> Int32? {
        let lines = try await HTTPGet.text("\(ready.admin)/metrics").split(separator: "\n")
        let pids = try await pids()[role] ?? []
        guard pids.count == count else { return nil }
        func isPositive(_ metric: String, _ index: Int) -> Bool {
            lines.contains {
                $0.hasPrefix(metric + "{") && $0.contains("node=\"\(role)-\(index)\"") && !$0.hasSuffix(" 0")
            }
        }
        let index = pids.indices.first {
            isPositive("earshot_worker_lanes", $0) && isPositive("earshot_worker_commits_total", $0)
        }
        return index.map { pids[$0] }
    }

    /// Kills a process of a role and waits until the supervisor has started another.
    func replace(_ role: String, signal: Int32 = SIGKILL) async throws {
        let before = try await pids()[role] ?? []
        guard let victim = before.first else { throw ChildProcess.Failure("no \(role) to kill") }
        kill(victim, signal)
        try await eventually(within: .seconds(60), "another \(role)") {
            let now = try await pids()[role] ?? []
            return now.count == before.count && !now.contains(victim)
        }
    }

    /// Runs an `earshot` command on the fleet's data directory.
    func earshot(_ arguments: [String]) async throws -> (status: Int32, text: String) {
        try await Tool.run(["\(Self.binaries)/earshot"] + arguments + ["--data-dir", directory])
    }

    private static func tail(_ path: String) -> String {
        String(((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").suffix(2_000))
    }
}

/// Runs a program to its end.
enum Tool {
    static func run(_ command: [String]) async throws -> (status: Int32, text: String) {
        let output = "/tmp/earshot-tool-\(UUID().uuidString).out"
        defer { try? FileManager.default.removeItem(atPath: output) }
        let process = try ChildProcess(["sh", "-c", "\"$@\"; echo \"exit=$?\"", "sh"] + command, output: output)
        try await eventually(within: .seconds(300), command.joined(separator: " ")) { !process.isRunning }
        let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let last = lines.last(where: { $0.hasPrefix("exit=") }), let status = Int32(last.dropFirst(5)) else {
            throw ChildProcess.Failure("\(command[0]) left no exit status")
        }
        return (status, lines.filter { !$0.hasPrefix("exit=") }.joined(separator: "\n"))
    }
}
