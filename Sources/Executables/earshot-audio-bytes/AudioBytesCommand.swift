import ArgumentParser
import AudioStreams
import DeliveryWorkers
import EarshotModel
import HTTPTransport
import ServiceBootstrap
import WebhookDelivery
import WorkerRuntime

/// `earshot-audio-bytes`: posts windows of live audio; set up by `EARSHOT_…` (docs/operations.md, docs/webhooks.md).
@main
struct AudioBytesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "earshot-audio-bytes", abstract: "Posts the live audio of its partitions to endpoints.")

    func run() async throws {
        let settings = Settings()
        let assembly = ServiceAssembly.start(try ProcessConfiguration(role: "audio-bytes", settings: settings))
        let announcer = try ReadyAnnouncer(assembly.configuration, settings: settings)
        let fleet = try FleetConnection(assembly, settings: settings)
        let delivery = try DeliveryConfiguration(settings: settings)
        let users = fleet.settings(in: assembly)
        let transport = HTTPTransport(delivery.transport, logger: assembly.logger)
        let attempts = AudioAttemptReporter(interval: delivery.limits.pollInterval, logger: assembly.logger) {
            event, user in
            try await fleet.handOff.append(event: event, in: Partition(of: user, count: fleet.partitions))
        }
        let sender = AudioWindowSender(
            sender: WebhookSender(transport: transport, limits: delivery.limits, logger: assembly.logger),
            limits: delivery.limits, attempts: attempts)
        let lanes = AudioBytesLaneFactory(sender: sender, deliveryLimits: delivery.limits) {
            user, partition in try await users.cache.settings(of: user, in: partition)
        }
        let worker = fleet.worker(
            .audioBytes, .sessions(wanted: .audioBytes), lanes, in: assembly, announcer: announcer)
        try await assembly.run(
            [fleet.service, users.service, BackgroundService { await transport.run() }, attempts, sender, worker],
            onAdminBound: announcer.adminBound)
    }
}
