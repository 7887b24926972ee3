import ArgumentParser
import EarshotModel
import WebhookDelivery

/// `earshot delivery show`.
struct DeliveryShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a delivery with its attempts and its body.",
        discussion: """
            With --json: one object, the delivery as `list` shows it with "attempts_log":[{"at","milliseconds",\
            "status","error","remote","response"}] and "body". A window of live audio is no delivery: its attempts \
            are shown as `earshot endpoint attempts` shows them.
            """)

    /// Attempts shown of a window: a receiver that fails is asked four times a minute.
    private static let attemptsMaximum = 1_000

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
        guard let id = UniqueID(delivery) else { return }
        // Two steps: the compiler's optimiser crashes on the awaited call inside the condition (Swift 6.3.1).
        let known = try await store.show(id)
        guard let found = known else {
            let attempts = try await store.audioAttempts(ofWindow: id, limit: Self.attemptsMaximum)
                .map { ShownAttempt($0) }
            guard !attempts.isEmpty else {
                throw CommandError("there is no delivery \(delivery); `earshot delivery list` lists them")
            }
            return ConsoleOutput.line(
                json
                    ? try ConsoleJSON.line(["attempts": attempts])
                    : attempts.map(ConsoleWebhooks.attempt).joined(separator: "\n"))
        }
        var shown = ShownDelivery(found.delivery)
        shown.attemptsLog = found.attempts.map { ShownAttempt($0) }
        shown.body = found.body
        ConsoleOutput.line(json ? try ConsoleJSON.line(shown) : ConsoleWebhooks.delivery(shown))
    }
}
