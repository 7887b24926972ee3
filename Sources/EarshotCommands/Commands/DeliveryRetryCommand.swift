import ArgumentParser
import EarshotModel
import WebhookDelivery

/// `earshot delivery retry`.
struct DeliveryRetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Makes a pending or dead delivery due now, with all retries before it.")

    @Argument(help: ArgumentHelp("The delivery.", valueName: "id"))
    var delivery: String

    @OptionGroup var postgres: PostgresOption

    func validate() throws {
        guard UniqueID(delivery) != nil else {
            throw ValidationError("\(delivery.debugDescription) is not a delivery id")
        }
    }

    func run() async throws {
        guard let id = UniqueID(delivery) else { return }
        try await PostgresDeliveryStore(client: try postgres.client()).retry(id)
        ConsoleOutput.line("\(id) is due now")
    }
}
