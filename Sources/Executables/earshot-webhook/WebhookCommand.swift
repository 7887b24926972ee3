import ArgumentParser

/// `earshot-webhook`: not assembled yet.
@main
struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "earshot-webhook")

    func run() async throws {}
}
