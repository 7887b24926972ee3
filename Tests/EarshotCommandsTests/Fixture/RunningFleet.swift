import Foundation
import NIOPosix
import Subprocess
import SystemPackage

@testable import EarshotCommands

/// An `earshot up` that runs as a process of its own, on stand-ins for the roles and a real Redis and Postgres.
struct RunningFleet: Sendable {
    /// The line of `--json`.
    struct Ready: Decodable, Sendable {
        let ready: Bool
        let listen: String?
        let admin: String
        let pids: [String: [Int32]]
    }

    /// How the process ended, and what it said.
    struct End: Sendable {
        let status: TerminationStatus
        let linesBehindTheFirst: [String]
        let log: String
    }

    let process: ProcessIdentity
    /// nil when it ended without being ready.
    let ready: Ready?

    /// The programs of this build lie beside the tests.
    static var earshot: String {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("earshot").path
    }

    /// Starts it, waits for its line, runs the body, sends SIGTERM if it still runs, and waits for its end.
    ///
    /// `command` is what stands for the program `earshot`; it must become that process.
    static func with(
        in scratch: ScratchDirectory, programs: StandInPrograms, data: String? = nil, arguments: [String] = [],
        command: [String] = [earshot], environment: [Environment.Key: String?] = [:],
        _ body: @Sendable (RunningFleet) async throws -> Void
    ) async throws -> End {
        let logFile = "\(scratch.path)/log-\(UUID())"
        let log = try FileDescriptor.open(
            FilePath(logFile), .writeOnly, options: [.create, .append, .closeOnExec], permissions: .ownerReadWrite)
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(60))]
        var variables: [Environment.Key: String?] = [
            "EARSHOT_EXECUTABLES_DIR": programs.directory, "EARSHOT_REDIS_URL": nil, "EARSHOT_POSTGRES_URL": nil,
            "EARSHOT_AUTH_HS256_SECRET": nil,
        ]
        variables.merge(environment) { $1 }
        let result = try await Subprocess.run(
            .path(FilePath(command[0])),
            arguments: Arguments(
                command.dropFirst() + ["up", "--data-dir", data ?? "\(scratch.path)/data", "--json"]
                    + ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"] + arguments),
            environment: .inherit.updating(variables), platformOptions: options, input: .none, output: .sequence,
            error: .fileDescriptor(log, closeAfterSpawningProcess: true)
        ) { execution in
            var lines = execution.standardOutput.strings().makeAsyncIterator()
            let first = try await lines.next()
            let ready = try first.map { try JSONDecoder().decode(Ready.self, from: Data($0.utf8)) }
            let pid = execution.processIdentifier.value
            let process = ProcessIdentity(pid: pid) ?? ProcessIdentity(pid: pid, startTime: 0)
            try await body(RunningFleet(process: process, ready: ready))
            process.send(SIGTERM)
            var rest: [String] = []
            while let line = try await lines.next() { rest.append(line) }
            return rest
        }
        return End(
            status: result.terminationStatus, linesBehindTheFirst: result.closureResult,
            log: (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "")
    }

    /// Asks the admin server.
    func get(_ path: String) async throws -> String {
        guard let ready else { return "" }
        return try await HTTPFetch.text(base: ready.admin, path: path, on: MultiThreadedEventLoopGroup.singleton)
    }

    /// The pids of the moment.
    func pids() async throws -> [String: [Int32]] {
        try JSONDecoder().decode([String: [Int32]].self, from: Data(try await get("/pids").utf8))
    }

    /// Looks again and again, because another process gives no sign, until something holds.
    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            guard ContinuousClock.now < deadline else { throw CommandError("not within a minute: \(what)") }
            try await ContinuousClock().sleep(for: .milliseconds(20))
        }
    }
}
