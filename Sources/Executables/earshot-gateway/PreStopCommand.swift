import ArgumentParser
import EarshotModel
import Logging
import ServiceBootstrap

/// `earshot-gateway pre-stop`: drains the gateway whose settings it shares; for the `preStop` hook of its container.
struct PreStopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pre-stop", abstract: "Drains the gateway beside it, and returns when no session is left.")

    func run() async throws {
        let settings = Settings()
        let process = try ProcessConfiguration(role: "gateway", settings: settings)
        guard process.admin.port != 0 else {
            throw settings.error("admin", problem: "the port is drawn at the start", allowed: "a fixed port")
        }
        let limits = try Limits(settings: settings)
        try await DrainCall(
            admin: process.admin, timeout: limits.drainBudget + .seconds(5), logger: Logger(label: "earshot.pre-stop")
        ).run()
    }
}
