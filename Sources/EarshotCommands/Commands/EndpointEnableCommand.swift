import ArgumentParser
import WebhookDelivery

/// `earshot endpoint enable`.
struct EndpointEnableCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable", abstract: "Lets deliveries to an endpoint go on.")

    @OptionGroup var options: EndpointOptions

    func run() async throws {
        let store = try options.store()
        let endpoint = try await options.found(in: store)
        try await store.set(.enabled, reason: nil, of: endpoint.id)
        ConsoleOutput.line(try await options.shown(in: store))
    }
}
