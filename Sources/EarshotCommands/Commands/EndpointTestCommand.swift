import ArgumentParser
import EarshotModel
import HTTPTransport
import Logging
import ServiceBootstrap
import WebhookDelivery

/// `earshot endpoint test`.
struct EndpointTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Sends a signed test event now, and shows what came back.",
        discussion: """
            The event is endpoint.test, in the endpoint's dialect; `earshot delivery show` shows it afterwards. This \
            process connects under the rules that workers have: set EARSHOT_WEBHOOK_ALLOW_NETWORKS and \
            EARSHOT_WEBHOOK_ALLOW_HTTP here, too, for receivers that are not public. Exit code 1 unless the answer is \
            2xx. With --json: {"delivery_id","at","milliseconds","status","error","remote","response"}.
            """)

    @OptionGroup var options: EndpointOptions

    func run() async throws {
        let endpoint = try await options.found(in: try options.store())
        let delivery = try DeliveryConfiguration(settings: Settings())
        let silent = Logger(label: "earshot.endpoint") { _ in SwiftLogNoOpLogHandler() }
        let transport = HTTPTransport(delivery.transport, logger: silent)
        let sender = WebhookSender(transport: transport, limits: delivery.limits, logger: silent)
        let now = WallClock.microseconds
        let test = ClaimedDelivery.test(of: endpoint, at: now)
        let outcome = await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await transport.run() }
            let outcome = await sender.send(OutgoingWebhook(test, body: test.body ?? "", now: now))
            tasks.cancelAll()
            return outcome
        }
        let isDelivered = outcome.verdict == .delivered
        try await PostgresDeliveryStore(client: try options.postgres.client())
            .recordTest(test, outcome.log, isDelivered: isDelivered)
        let shown = ShownAttempt(outcome.log, of: test.id.description)
        ConsoleOutput.line(options.json ? try ConsoleJSON.line(shown) : ConsoleWebhooks.attempt(shown))
        guard isDelivered else { throw ExitCode(1) }
    }
}
