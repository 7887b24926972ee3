package import Logging
package import ServiceLifecycle

/// A service that begins once its process has joined the fleet.
package struct FleetMember: Service {
    private let fleet: FleetConnection
    private let logger: Logger
    private let service: any Service

    /// Puts the joining before a service.
    package init(fleet: FleetConnection, logger: Logger, service: any Service) {
        self.fleet = fleet
        self.logger = logger
        self.service = service
    }

    /// Waits for the fleet, then runs the service; a shutdown ends the wait.
    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await fleet.join(logger: logger) }
        } catch is CancellationError {
            return
        }
        try await service.run()
    }
}
