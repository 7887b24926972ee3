import ArgumentParser
import EarshotModel
import WebhookDelivery

/// `earshot delivery list`.
struct DeliveryListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists deliveries, newest first.",
        discussion: """
            With --json: one object {"deliveries":[{"delivery_id","endpoint_id","event_id","type","uid",\
            "conversation_id","sequence","state","attempts","due_at","status","error","created_at","finished_at",\
            "body_bytes"}]}; what does not apply is left out.
            """)

    @Option(help: ArgumentHelp("Only this endpoint's.", valueName: "endpoint-id"))
    var endpoint: String?

    @Option(help: "Only those in a state: \(ListedDelivery.State.allCases.map(\.rawValue).joined(separator: ", ")).")
    var state: ListedDelivery.State?

    @Option(help: ArgumentHelp("Only this user's.", valueName: "uid"))
    var uid: String?

    @Option(help: "Only those made since: \(PastTime.rule).")
    var since: PastTime?

    @Option(help: ArgumentHelp("Lists at most this many, 1 to 10000.", valueName: "n"))
    var limit = 50

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    func validate() throws {
        guard (1...10_000).contains(limit) else {
            throw ValidationError("--limit \(limit) is not allowed; allowed are 1 to 10000")
        }
        if let endpoint, UniqueID(endpoint) == nil {
            throw ValidationError("--endpoint \(endpoint.debugDescription) is not an endpoint id")
        }
        if let uid, UserID(uid) == nil {
            throw ValidationError("--uid \(uid.debugDescription) is not a user id; allowed: \(UserID.rule)")
        }
    }

    func run() async throws {
        let store = PostgresDeliveryStore(client: try postgres.client())
        let filter = PostgresDeliveryStore.Filter(
            endpoint: endpoint.flatMap { UniqueID($0) }, state: state, uid: uid, since: since?.microseconds)
        let deliveries = try await store.list(filter, limit: limit).map { ShownDelivery($0) }
        ConsoleOutput.line(
            json ? try ConsoleJSON.line(["deliveries": deliveries]) : ConsoleWebhooks.table(deliveries))
    }
}

extension ListedDelivery.State: ExpressibleByArgument {}
