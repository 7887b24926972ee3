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
            The event is endpoint.test, in the standard dialect. This process connects under the rules that workers \
            have: set EARSHOT_WEBHOOK_ALLOW_NETWORKS and EARSHOT_WEBHOOK_ALLOW_HTTP here, too, for receivers that are \
            not public. Exit code 1 unless the answer is 2xx.
            """)

    @OptionGroup var options: EndpointOptions

    func run() async throws {
        let endpoint = try await options.found(in: try options.store())
        let delivery = try DeliveryConfiguration(settings: Settings())
        let silent = Logger(label: "earshot.endpoint") { _ in SwiftLogNoOpLogHandler() }
        let transport = HTTPTransport(delivery.transport, logger: silent)
        let sender = WebhookSender(transport: transport, limits: delivery.limits, logger: silent)
        let outcome = await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await transport.run() }
            let outcome = await sender.send(Self.request(to: endpoint))
            tasks.cancelAll()
            return outcome
        }
        let shown = ShownAttempt(outcome.log)
        ConsoleOutput.line(options.json ? try ConsoleJSON.line(shown) : ConsoleWebhooks.attempt(shown))
        guard outcome.verdict == .delivered else { throw ExitCode(1) }
    }

    private static func request(to endpoint: WebhookEndpoint) -> OutgoingWebhook {
        let now = WallClock.microseconds
        let delivery = ClaimedDelivery.test(of: endpoint, at: now)
        return OutgoingWebhook(delivery, body: delivery.body ?? "", now: now)
    }
}
