package import ArgumentParser

/// `earshot-chaos`: proves by killing things that nothing is lost, doubled or left behind.
package struct ChaosCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "earshot-chaos", abstract: "Runs a fleet, breaks it at random, and checks every promise.",
        subcommands: [
            RunCommand.self, RecoveryCommand.self, GatewayKillCommand.self, DisconnectCommand.self,
            OutageCommand.self, RollingCommand.self, BaselineCommand.self, FlakyCommand.self, FailoverCommand.self,
            HandOverCommand.self, WakesCommand.self,
        ], defaultSubcommand: RunCommand.self)

    package init() {}
}
