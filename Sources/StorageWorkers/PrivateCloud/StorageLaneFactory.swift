import AudioStorage
package import WorkerRuntime

/// Opens the private-cloud worker's lanes.
package struct StorageLaneFactory: LaneProcessorFactory {
    private let services: StorageServices

    /// Makes lanes that share services.
    package init(_ services: StorageServices) { self.services = services }

    package func open(_ opening: LaneOpening) throws -> any LaneProcessor {
        guard let session = opening.session else { throw LaneFailure.entry("a recording needs a session") }
        return try StorageLane(session: session, partition: opening.partition, services: services)
    }

    package func mayBeAvailable(_ dependency: String) -> Bool {
        dependency != StorageLane.store || services.parts.mayBeAvailable
    }
}
