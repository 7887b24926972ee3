import DeliveryWorkers
import EarshotModel
import PostgresClient
import ServiceLifecycle
import SessionRecord
import TestSupport
import WebhookDelivery

/// The same out of a Postgres of its own, by the worker's own deliverer.
struct StoredWebhooks: Sendable {
    static let batch = 500
    /// Endpoints and conversations enough that neither rate nor order holds anything up.
    static let endpointCount = 64

    let load: WebhookLoad
    private let limits: DeliveryLimits
    private let migrations: String

    init(_ load: WebhookLoad, _ limits: DeliveryLimits, migrations: String) {
        (self.load, self.limits, self.migrations) = (load, limits, migrations)
    }

    func send(with sender: WebhookSender) async throws -> BenchReport {
        let report = try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: migrations, logger: .silent).run()
            let store = PostgresDeliveryStore(client: database.client, limits: limits)
            try await fill(store, PostgresEndpointStore(client: database.client, limits: limits))
            return try await deliver(database.client, store, sender)
        }
        try await PostgresServerFixture.shared.server().stop(removing: true)
        return report
    }

    private func deliver(
        _ client: PostgresClient, _ store: PostgresDeliveryStore, _ sender: WebhookSender
    ) async throws -> BenchReport {
        let source = PostgresConversationSource(client: client, record: PostgresSessionRecord(client: client))
        let deliverer = WebhookDeliverer(
            store: store, sender: sender, conversations: source, limits: limits, logger: .silent, notify: { _, _ in })
        let group = ServiceGroup(services: [deliverer], logger: .silent)
        return try await BenchReport.measuring("stored", requests: load.requests, connections: load.connections) {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await eventually(within: .seconds(600), "all are delivered") {
                    // By an index: the question is asked again and again, and must not be what is measured.
                    let open = "SELECT 1 FROM webhook_deliveries WHERE state = 'pending' LIMIT 1"
                    return try await client.query("\(unsafeSQL: open)").isEmpty
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }
}
