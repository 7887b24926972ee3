import ArgumentParser

/// `earshot-bench`: what sending webhooks costs; `scripts/bench` runs it beside the same work in Python.
@main
struct EarshotBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "earshot-bench", abstract: "Measures webhooks and the HTTP transport against a local receiver.",
        subcommands: [ReceiverCommand.self, WebhookBenchCommand.self, TransportBenchCommand.self])
}
