import EarshotModel
import PostgresClient
import SessionRecord
import TestSupport
import Testing
import WebhookDelivery

/// A migrated database with stores, and events to deliver.
struct StoreFixture {
    let client: PostgresClient
    let endpoints: PostgresEndpointStore
    let store: PostgresDeliveryStore

    static func with(
        _ limits: DeliveryLimits = DeliveryLimits(), _ body: (StoreFixture) async throws -> Void
    ) async throws {
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(
                client: database.client, directory: "\(Python.repository)/Migrations", logger: .silent
            ).run()
            try await body(
                StoreFixture(
                    client: database.client, endpoints: PostgresEndpointStore(client: database.client, limits: limits),
                    store: PostgresDeliveryStore(client: database.client, limits: limits)))
        }
    }

    func endpoint(
        _ owner: String = "alice", _ change: (inout WebhookEndpoint) -> Void = { _ in }
    ) async throws -> WebhookEndpoint {
        let user = try #require(UserID(owner))
        var endpoint = WebhookEndpoint(
            id: .timeOrdered(at: WallClock.microseconds), owner: .user(user), url: "https://example.com/hook",
            events: [.transcriptSegments, .endpointDisabled], secrets: [EndpointSecret(key: .newShared())])
        endpoint.rate = 1_000
        change(&endpoint)
        try await endpoints.add(endpoint)
        return endpoint
    }

    /// Deliveries of so many events in one conversation.
    func deliveries(
        _ count: Int, to endpoint: WebhookEndpoint, conversation: String = "c1"
    ) -> [NewDelivery] {
        (0..<count).map { index in
            var delivery = NewDelivery(
                event: .timeOrdered(at: Int64(index)), endpoint: endpoint.id, type: .transcriptSegments, uid: "alice",
                conversation: conversation)
            delivery.body = "{\"n\":\(index)}"
            return delivery
        }
    }

    func claim(_ slots: Int = 10) async throws -> [ClaimedDelivery] {
        try await claim(slots, each: slots).deliveries
    }

    /// Claims as a process that has sent nothing yet, and so much at once to an endpoint.
    func claim(_ slots: Int, each: Int) async throws -> PostgresDeliveryStore.Claimed {
        var limits = DeliveryLimits()
        limits.initialConcurrency = each
        limits.slots = slots * 2
        return try await store.claim(slots: slots, gates: EndpointGates(limits: limits))
    }

    func record(_ delivery: ClaimedDelivery, _ result: AttemptRecord.Result, status: Int = 500) async throws -> Bool {
        let log = AttemptLog(at: WallClock.microseconds, milliseconds: 3, status: status, error: "status \(status)")
        let record = AttemptRecord(of: delivery, result: result, failures: delivery.failures + 1, log: log)
        return try await store.record([record]).accepted.contains(delivery.id)
    }
}
