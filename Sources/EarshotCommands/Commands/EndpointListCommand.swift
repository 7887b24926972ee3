import ArgumentParser
import WebhookDelivery

/// `earshot endpoint list`.
struct EndpointListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists endpoints, oldest first; never their secrets.",
        discussion: """
            With --json: one object {"endpoints":[{"endpoint_id","owner","owner_kind","url","events","dialect",\
            "state","reason","disabled_at","strict","rate","concurrency","window_seconds","policy","headers","keys",\
            "created_at"}]}. Of headers only the names are shown; `keys` says how many of each kind are good.
            """)

    @OptionGroup var owner: EndpointOwnerOptions

    @Option(help: ArgumentHelp("Lists at most this many, 1 to 10000.", valueName: "n"))
    var limit = 100

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    func validate() throws {
        guard (1...10_000).contains(limit) else {
            throw ValidationError("--limit \(limit) is not allowed; allowed are 1 to 10000")
        }
    }

    func run() async throws {
        let store = PostgresEndpointStore(client: try postgres.client())
        let endpoints = try await store.list(owner: owner.owner, limit: limit).map(ShownEndpoint.init)
        ConsoleOutput.line(
            json ? try ConsoleJSON.line(["endpoints": endpoints]) : ConsoleWebhooks.table(endpoints))
    }
}
