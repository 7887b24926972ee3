import ArgumentParser
import WebhookDelivery

/// `earshot endpoint disable`.
struct EndpointDisableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Stops deliveries to an endpoint.",
        discussion: """
            What waits for it is kept, and goes on when it is enabled again. Its events of the next 7 days are kept \
            too, for `earshot delivery replay`.
            """)

    @OptionGroup var options: EndpointOptions

    @Option(help: ArgumentHelp("Why, for the list.", valueName: "text"))
    var reason = "disabled by an operator"

    func run() async throws {
        let store = try options.store()
        let endpoint = try await options.found(in: store)
        try await store.set(.disabled, reason: reason, of: endpoint.id)
        ConsoleOutput.line(try await options.shown(in: store))
    }
}
