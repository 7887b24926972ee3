import ArgumentParser
import AudioStreams
import DeliveryWorkers
import EarshotModel
import HTTPTransport
import NIOCore
import PostgresClient
import ServiceBootstrap
import SessionRecord
import WebhookDelivery
import WorkerRuntime

/// `earshot-webhook`: delivers events to endpoints; configured by `EARSHOT_…` (docs/operations.md, docs/webhooks.md).
@main
struct WebhookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "earshot-webhook", abstract: "Delivers the events of its partitions to webhooks.")

    func run() async throws {
        let settings = Settings()
        let assembly = ServiceAssembly.start(try ProcessConfiguration(role: "webhook", settings: settings))
        let announcer = try ReadyAnnouncer(assembly.configuration, settings: settings)
        let fleet = try FleetConnection(assembly, settings: settings)
        let delivery = try DeliveryConfiguration(settings: settings)
        let postgres = PostgresClient(try PostgresConfiguration(settings: settings), logger: assembly.logger)
        let endpoints = PostgresEndpointStore(
            client: postgres, limits: delivery.limits, logger: assembly.logger)
        let directory = EndpointDirectory(limits: delivery.limits) { user throws(WebhookError) in
            try await endpoints.endpoints(of: user)
        }
        let changes = SettingsSubscription(
            configuration: fleet.redis, keys: fleet.keys, eventLoop: assembly.eventLoopGroup.next(),
            logger: assembly.logger, onChange: directory.forget)
        let transport = HTTPTransport(delivery.transport, logger: assembly.logger)
        let store = PostgresDeliveryStore(client: postgres, limits: delivery.limits)
        let notify: @Sendable (UserID, String) async -> Void = { user, text in
            // A notice is worth one try: the user may have no session open at all.
            _ = try? await fleet.handOff.notify(user, in: Partition(of: user, count: fleet.partitions), text: text)
        }
        let deliverer = WebhookDeliverer(
            store: store, sender: WebhookSender(transport: transport, limits: delivery.limits, logger: assembly.logger),
            conversations: PostgresConversationSource(
                client: postgres, record: PostgresSessionRecord(client: postgres)),
            limits: delivery.limits, logger: assembly.logger, notify: notify)
        let lanes = WebhookLaneFactory(
            endpoints: directory, store: store, deliveryLimits: delivery.limits, limits: fleet.limits,
            wake: deliverer.wake, notify: notify)
        let worker = fleet.worker(.webhook, .wholeStream(.events), lanes, in: assembly, announcer: announcer)
        try await assembly.run(
            [
                fleet.service, BackgroundService { await postgres.run() }, BackgroundService { await transport.run() },
                BackgroundService { await changes.run() }, deliverer, worker,
            ], onAdminBound: announcer.adminBound)
    }
}
