import ServiceLifecycle

/// Makes the process not ready the moment its shutdown begins.
///
/// A service group shuts its services down from the last to the first; being last, this one is told first.
struct ShutdownNotice: Service {
    let health: HealthRegistry

    func run() async throws {
        // Cancellation is a shutdown, too.
        try? await gracefulShutdown()
        health.beginShutdown()
    }
}
