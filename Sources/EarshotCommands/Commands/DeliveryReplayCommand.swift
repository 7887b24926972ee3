import ArgumentParser
import EarshotModel
import WebhookDelivery
import WorkerRuntime

/// `earshot delivery replay`.
struct DeliveryReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Brings back the dead deliveries of what happened since a time.",
        discussion: """
            The replay is a job in the database that the webhook workers carry out: it goes on when this command or a \
            worker is killed, and nothing that was delivered is sent again. `earshot delivery replay --job ID` shows \
            how far it is. With --json: {"job_id","endpoint_id","since","until","taken","delivered","pending","dead",\
            "done"}.
            """)

    @Option(help: "From when on: \(PastTime.rule).")
    var since: PastTime?

    @Option(help: ArgumentHelp("Only this endpoint's.", valueName: "endpoint-id"))
    var endpoint: String?

    @Option(help: ArgumentHelp("Shows a replay that was started before.", valueName: "job-id"))
    var job: String?

    @Flag(help: "Waits until everything it took up was delivered or has died.")
    var wait = false

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    func validate() throws {
        guard (since == nil) != (job == nil) else { throw ValidationError("name --since or --job") }
        for (name, value) in [("--endpoint", endpoint), ("--job", job)] {
            if let value, UniqueID(value) == nil {
                throw ValidationError("\(name) \(value.debugDescription) is not an id")
            }
        }
    }

    func run() async throws {
        let store = PostgresDeliveryStore(client: try postgres.client())
        let id: UniqueID
        if let since {
            id = try await store.startReplay(since: since.microseconds, endpoint: endpoint.flatMap { UniqueID($0) })
        } else {
            id = job.flatMap { UniqueID($0) } ?? UniqueID(high: 0, low: 0)
        }
        var progress = try await self.progress(of: id, in: store)
        while wait, !progress.isDone {
            try Task.checkCancellation()
            await Ticker.wait(.milliseconds(500))
            progress = try await self.progress(of: id, in: store)
        }
        let shown = ShownReplay(progress)
        ConsoleOutput.line(json ? try ConsoleJSON.line(shown) : ConsoleWebhooks.replay(shown))
    }

    private func progress(of id: UniqueID, in store: PostgresDeliveryStore) async throws -> ReplayProgress {
        guard let progress = try await store.progress(ofReplay: id) else {
            throw CommandError("there is no replay \(id)")
        }
        return progress
    }
}
