package import ArgumentParser
import ServiceBootstrap

/// `earshot`: what an operator types.
///
/// Exit codes: 0 done, 1 failed (standard error says why), 2 called the wrong way.
package struct EarshotCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "earshot", abstract: "Live audio in, transcripts out: runs and operates Earshot.",
        subcommands: [
            SetupCommand.self, UpCommand.self, TokenCommand.self, MigrateCommand.self, StreamCommand.self,
            SessionsCommand.self, AuditCommand.self, UsageCommand.self, UserCommand.self, AudioCommand.self,
            EndpointCommand.self, DeliveryCommand.self,
        ])

    /// For ArgumentParser.
    package init() {}

    /// Parses the arguments, runs the command, and says what went wrong.
    ///
    /// - Parameter arguments: What stood behind the program's name; nil takes the process' own.
    /// - Returns: The exit code for the process.
    package static func run(_ arguments: [String]? = nil) async -> Int32 {
        ProcessFacts.ignoreBrokenPipes()
        do {
            var command = try await asyncParseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            return report(error)
        }
    }

    private static func report(_ error: any Error) -> Int32 {
        switch exitCode(for: error) {
        case .success:
            // A request for help is no failure.
            ConsoleOutput.line(fullMessage(for: error))
            return 0
        case .validationFailure:
            ConsoleOutput.error(fullMessage(for: error))
            return usageFailure
        default:
            ConsoleOutput.error("earshot: \(error)")
            return 1
        }
    }

    /// ArgumentParser says 64 (`EX_USAGE`); shells and scripts know 2.
    static let usageFailure: Int32 = 2
}
