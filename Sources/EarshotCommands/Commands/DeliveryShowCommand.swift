import ArgumentParser
import EarshotModel
import WebhookDelivery

/// `earshot delivery show`.
struct DeliveryShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a delivery with its attempts and its body.",
        discussion: """
            With --json: one object, the delivery as `list` shows it with "attempts_log":[{"at","milliseconds",\
            "status","error","remote","response"}] and "body".
            """)

    @Argument(help: ArgumentHelp("The delivery; its id is what receivers see as webhook-id.", valueName: "id"))
    var delivery: String

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    func validate() throws {
        guard UniqueID(delivery) != nil else {
            throw ValidationError("\(delivery.debugDescription) is not a delivery id")
        }
    }

    func run() async throws {
        let store = PostgresDeliveryStore(client: try postgres.client())
        guard let id = UniqueID(delivery), let found = try await store.show(id) else {
            throw CommandError("there is no delivery \(delivery); `earshot delivery list` lists them")
        }
        var shown = ShownDelivery(found.delivery)
        shown.attemptsLog = found.attempts.map(ShownAttempt.init)
        shown.body = found.body
        ConsoleOutput.line(json ? try ConsoleJSON.line(shown) : ConsoleWebhooks.delivery(shown))
    }
}
