import ArgumentParser
import EarshotModel
import WebhookDelivery

/// Which endpoint a command is about, and where its database is.
struct EndpointOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The endpoint; `earshot endpoint list` lists them.", valueName: "endpoint-id"))
    var endpoint: String

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    func validate() throws {
        guard UniqueID(endpoint) != nil else {
            throw ValidationError(
                "\(endpoint.debugDescription) is not an endpoint id; `earshot endpoint list` lists them")
        }
    }

    func store() throws -> PostgresEndpointStore { PostgresEndpointStore(client: try postgres.client()) }

    /// The endpoint as it stands.
    func found(in store: PostgresEndpointStore) async throws -> WebhookEndpoint {
        // Two steps: the compiler's optimiser crashes on the awaited call inside the condition (Swift 6.3.1).
        let id = UniqueID(endpoint) ?? UniqueID(high: 0, low: 0)
        let found = try await store.endpoint(id)
        guard let found else {
            throw CommandError("there is no endpoint \(endpoint); `earshot endpoint list` lists them")
        }
        return found
    }

    /// The endpoint as it is now, as text.
    func shown(in store: PostgresEndpointStore) async throws -> String {
        let shown = ShownEndpoint(try await found(in: store))
        return json ? try ConsoleJSON.line(shown) : ConsoleWebhooks.table([shown])
    }
}

extension WebhookDialect: ExpressibleByArgument {}
extension AudioEndpoint.Policy: ExpressibleByArgument {}
