package import EarshotModel
package import WebhookDelivery
package import WorkerRuntime

/// Opens the webhook worker's lanes: one a partition, on its event stream.
package struct WebhookLaneFactory: LaneProcessorFactory {
    private let services: WebhookLane.Services

    /// Makes lanes that write into a store.
    ///
    /// `wake` is told when there are new deliveries; `notify` sends a text frame to a user's open sessions.
    package init(
        endpoints: EndpointDirectory, store: PostgresDeliveryStore, deliveryLimits: DeliveryLimits, limits: Limits,
        wake: @escaping @Sendable () -> Void, notify: @escaping @Sendable (UserID, String) async -> Void
    ) {
        services = WebhookLane.Services(
            endpoints: endpoints, store: store, bodies: WebhookBody(deliveryLimits), wake: wake, notify: notify,
            batchMaximum: limits.recordBatchMaximum)
    }

    package func open(_ opening: LaneOpening) throws -> any LaneProcessor { WebhookLane(services: services) }
}
