package import EarshotModel
package import WebhookDelivery
package import WorkerRuntime

/// Opens the audio-bytes worker's lanes: one a session.
package struct AudioBytesLaneFactory: LaneProcessorFactory {
    private let services: AudioBytesLane.Services

    /// Makes lanes that share a sender; `settings` is asked at every entry and must be quick.
    package init(
        sender: AudioWindowSender, deliveryLimits: DeliveryLimits,
        settings: @escaping @Sendable (UserID, Partition) async throws -> UserSettings
    ) {
        services = AudioBytesLane.Services(
            settings: settings, sender: sender, deliveryLimits: deliveryLimits)
    }

    package func open(_ opening: LaneOpening) throws -> any LaneProcessor {
        guard let session = opening.session else { throw LaneFailure.entry("live audio needs a session") }
        return try AudioBytesLane(
            session, in: opening.partition, mayWait: !opening.isParkingFull, services: services)
    }
}
