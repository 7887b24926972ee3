import ArgumentParser
import EarshotModel
import WebhookDelivery

/// `earshot endpoint attempts`.
struct EndpointAttemptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attempts", abstract: "Lists the requests with live audio to an endpoint, newest first.",
        discussion: """
            They are kept for a day. With --json: one object {"attempts":[{"delivery_id","at","milliseconds","status",\
            "error","remote","response","uid","session_id","sequence"}]}; the delivery is the window's webhook-id.
            """)

    @OptionGroup var options: EndpointOptions

    @Option(help: ArgumentHelp("Lists at most this many, 1 to 10000.", valueName: "n"))
    var limit = 50

    func validate() throws {
        guard (1...10_000).contains(limit) else {
            throw ValidationError("--limit \(limit) is not allowed; allowed are 1 to 10000")
        }
    }

    func run() async throws {
        let endpoint = try await options.found(in: try options.store())
        let store = PostgresDeliveryStore(client: try options.postgres.client())
        let attempts = try await store.audioAttempts(of: endpoint.id, limit: limit).map { ShownAttempt($0) }
        guard !options.json else { return ConsoleOutput.line(try ConsoleJSON.line(["attempts": attempts])) }
        ConsoleOutput.line(
            attempts.isEmpty
                ? "no requests with live audio" : attempts.map(ConsoleWebhooks.attempt).joined(separator: "\n"))
    }
}
