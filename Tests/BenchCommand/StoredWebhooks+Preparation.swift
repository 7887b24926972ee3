import EarshotModel
import WebhookDelivery

extension StoredWebhooks {
    /// Writes what is to be sent.
    func fill(_ store: PostgresDeliveryStore, _ endpoints: PostgresEndpointStore) async throws {
        var targets: [WebhookEndpoint] = []
        for index in 0..<Self.endpointCount {
            targets.append(try load.endpoint(of: "app \(index)"))
            try await endpoints.add(targets[index])
        }
        for start in stride(from: 0, to: load.requests, by: Self.batch) {
            let deliveries = (start..<min(start + Self.batch, load.requests)).map { index in
                var delivery = NewDelivery(
                    event: .timeOrdered(at: Int64(index)), endpoint: targets[index % targets.count].id,
                    type: .transcriptSegments, uid: "alice", conversation: "c\(index)")
                delivery.body = load.body
                return delivery
            }
            _ = try await store.enqueue(deliveries)
        }
    }
}
