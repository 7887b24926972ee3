import ArgumentParser
import HTTPTransport
import TestSupport
import WebhookDelivery

/// `earshot-bench webhooks`: signed webhooks, as the worker sends them.
struct WebhookBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks", abstract: "Sends signed webhooks, out of memory or out of Postgres.",
        discussion: """
            With --stored each one is a row of its own that is claimed, sent and recorded with its attempt, as in \
            production; the processor time is this process' and not the server's.
            """)

    @Option(help: "Where the receiver is.")
    var url: String

    @Option(help: "Requests at once.")
    var connections = 64

    @Option(help: "Webhooks in all.")
    var requests = 20_000

    @Option(help: "Bytes of a body.")
    var bytes = 1_024

    @Flag(help: "Takes them out of a Postgres of its own, and records what became of them there.")
    var stored = false

    @Option(help: "The directory of the migrations.")
    var migrations = "Migrations"

    func run() async throws {
        var limits = DeliveryLimits()
        limits.initialConcurrency = connections
        limits.slots = 4 * connections
        let policy = try DestinationPolicy(allowedNetworks: ["127.0.0.0/8"], allowsPlainHTTP: true)
        var configuration = HTTPTransportConfiguration(destinations: policy)
        configuration.connectionsPerHostMaximum = connections
        let transport = HTTPTransport(configuration, logger: .silent)
        let sender = WebhookSender(transport: transport, limits: limits, logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await transport.run() }
            let load = WebhookLoad(url: url, connections: connections, requests: requests, bytes: bytes)
            let report =
                stored
                ? try await StoredWebhooks(load, limits, migrations: migrations).send(with: sender)
                : try await load.send(with: sender)
            try report.report()
            tasks.cancelAll()
        }
    }
}
