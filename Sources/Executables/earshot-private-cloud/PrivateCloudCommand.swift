import ArgumentParser
import AudioStorage
import AudioStreams
import EarshotModel
import ServiceBootstrap
import StorageWorkers
import WorkerRuntime

/// `earshot-private-cloud`: stores the audio of its partitions; configured by `EARSHOT_…` (docs/operations.md).
@main
struct PrivateCloudCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "earshot-private-cloud", abstract: "Stores the audio of users who want it stored.")

    func run() async throws {
        let settings = Settings()
        let assembly = ServiceAssembly.start(try ProcessConfiguration(role: "private-cloud", settings: settings))
        let announcer = try ReadyAnnouncer(assembly.configuration, settings: settings)
        let fleet = try FleetConnection(assembly, settings: settings)
        let storage = try StorageAssembly(settings: settings, logger: assembly.logger)
        let users = fleet.settings(in: assembly)
        let services = StorageServices(
            parts: PartStore(store: storage.store, encryption: storage.encryption),
            settings: { user, partition in try await users.cache.settings(of: user, in: partition) },
            format: try settings.choice("audio.format", default: .ogg),
            partSeconds: try settings.int("part.seconds", in: StorageServices.partSecondsAllowed, default: 60))
        let worker = fleet.worker(
            .privateCloud, .sessions(wanted: .privateCloud), StorageLaneFactory(services), in: assembly,
            announcer: announcer)
        try await assembly.run(
            [fleet.service, users.service] + storage.services + [worker], onAdminBound: announcer.adminBound)
    }
}
