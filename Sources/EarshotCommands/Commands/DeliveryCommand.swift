import ArgumentParser

/// `earshot delivery`: what was delivered, and what was not.
struct DeliveryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delivery", abstract: "Shows webhook deliveries, and brings back those that failed.",
        discussion: """
            Delivered ones are kept for 7 days, dead ones for 30. States: waiting (behind another one of its \
            conversation), pending, delivered, dead.
            """,
        subcommands: [
            DeliveryListCommand.self, DeliveryShowCommand.self, DeliveryRetryCommand.self, DeliveryReplayCommand.self,
        ])
}
