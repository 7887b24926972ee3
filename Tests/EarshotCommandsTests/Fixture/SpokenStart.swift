import Foundation
import Subprocess
import SystemPackage

@testable import EarshotCommands

/// An `earshot up` that was started, has said that it is up, and was stopped: at a terminal or through a pipe.
struct SpokenStart {
    /// Standard output.
    let output: String
    /// Standard error.
    let log: String

    static func run(
        in scratch: ScratchDirectory, programs: StandInPrograms, isTerminal: Bool, arguments: [String] = []
    ) async throws -> SpokenStart {
        let log = "\(scratch.path)/said-\(UUID())"
        let data = "\(scratch.path)/data"
        let words = [RunningFleet.earshot, "up", "--data-dir", data, "--listen", "127.0.0.1:0"]
        let command =
            "exec "
            + (words + ["--admin", "127.0.0.1:0"] + arguments).map { "'\($0)'" }.joined(separator: " ") + " 2>'\(log)'"
        // script(1) gives a program a terminal of its own.
        let shell = isTerminal ? ["/usr/bin/script", "-qec", command, "/dev/null"] : ["/bin/sh", "-c", command]
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(60))]
        let variables: [Environment.Key: String?] = [
            "EARSHOT_EXECUTABLES_DIR": programs.directory, "EARSHOT_REDIS_URL": nil, "EARSHOT_POSTGRES_URL": nil,
            "EARSHOT_AUTH_HS256_SECRET": nil, "SHELL": "/bin/sh",
        ]
        let result = try await Subprocess.run(
            .path(FilePath(shell[0])), arguments: Arguments(Array(shell.dropFirst())),
            environment: .inherit.updating(variables), platformOptions: options, input: .none, output: .sequence,
            error: .discarded
        ) { execution in
            var text = ""
            for try await line in execution.standardOutput.strings() {
                text += line + "\n"
                guard line.contains("Ctrl-C stops it.") || line.contains(#""ready":true"#) else { continue }
                let lock = (try? String(contentsOfFile: DataDirectoryPaths(data).lock, encoding: .utf8)) ?? ""
                if let pid = Int32(lock.filter(\.isNumber)) { kill(pid, SIGTERM) }
            }
            return text
        }
        return SpokenStart(
            output: result.closureResult, log: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
    }
}
