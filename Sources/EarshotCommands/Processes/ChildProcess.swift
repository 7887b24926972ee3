import Subprocess
import SystemPackage

/// Starts one process and waits for its end.
enum ChildProcess {
    /// How a process ended.
    enum Ending: Sendable, Equatable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)
        case notStarted(String)

        var description: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .signalled(let signal): "signal \(signal)"
            case .notStarted(let reason): "not started: \(reason)"
            }
        }
    }

    /// The longest line taken from a child: an announcement has 200 bytes.
    private static let lineBytesMaximum = 16 << 10
    /// What a child has to end when the task that runs it is cancelled, which is no orderly shutdown.
    private static let cancellationGrace: Duration = .seconds(5)

    /// Runs the process to its end.
    ///
    /// It leads a process group of its own, so that a Ctrl-C in the terminal reaches the supervisor alone.
    ///
    /// - Parameters:
    ///   - specification: What to run.
    ///   - onStart: Gets its pid.
    ///   - onLine: Gets every line of standard output, when that is read.
    /// - Returns: How it ended.
    static func run(
        _ specification: ChildSpecification, onStart: @Sendable (Int32) -> Void,
        onLine: @Sendable (String) -> Void
    ) async -> Ending {
        do {
            switch specification.output {
            case .announcements:
                let result = try await Subprocess.run(
                    configuration(specification), input: .none, output: .sequence, error: .currentStandardError
                ) { execution in
                    onStart(execution.processIdentifier.value)
                    await read(execution.standardOutput, onLine)
                }
                return ending(result.terminationStatus)
            case .file(let path):
                let file = try FileDescriptor.open(
                    path, .writeOnly, options: [.append, .create, .closeOnExec], permissions: .ownerReadWrite)
                let result = try await Subprocess.run(
                    configuration(specification), input: .none,
                    output: .fileDescriptor(file, closeAfterSpawningProcess: true), error: .combinedWithOutput
                ) { execution in
                    onStart(execution.processIdentifier.value)
                }
                return ending(result.terminationStatus)
            }
        } catch {
            return .notStarted("\(error)")
        }
    }

    private static func read(_ output: SubprocessOutputSequence, _ onLine: (String) -> Void) async {
        do {
            for try await line in output.strings(bufferingPolicy: .maxLineLength(lineBytesMaximum)) { onLine(line) }
        } catch {
            onLine("standard output is no longer read: \(error)")
        }
    }

    private static func configuration(_ specification: ChildSpecification) -> Configuration {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [
            .send(signal: specification.stopSignal, allowedDurationToNextStep: cancellationGrace)
        ]
        var environment: [Environment.Key: String?] = [:]
        for (name, value) in specification.environment {
            environment[Environment.Key(stringLiteral: name)] = .some(value)
        }
        return Configuration(
            executable: .path(FilePath(specification.executable)), arguments: Arguments(specification.arguments),
            environment: .inherit.updating(environment),
            workingDirectory: specification.workingDirectory.map { FilePath($0) }, platformOptions: options)
    }

    private static func ending(_ status: TerminationStatus) -> Ending {
        switch status {
        case .exited(let code): .exited(Int32(code))
        case .signaled(let signal): .signalled(Int32(signal))
        }
    }
}
