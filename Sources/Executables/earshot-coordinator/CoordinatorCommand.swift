import ArgumentParser
import AudioStreams
import CoordinatorService
import EarshotModel
import PostgresClient
import ServiceBootstrap
import SessionRecord
import WorkerRuntime

/// `earshot-coordinator`: reconciles lifetimes and writes the record; configured by `EARSHOT_…` (docs/operations.md).
@main
struct CoordinatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "earshot-coordinator", abstract: "Reconciles session lifetimes and writes the record.")

    func run() async throws {
        let settings = Settings()
        let assembly = ServiceAssembly.start(try ProcessConfiguration(role: "coordinator", settings: settings))
        let announcer = try ReadyAnnouncer(assembly.configuration, settings: settings)
        let fleet = try FleetConnection(assembly, settings: settings)
        let postgres = PostgresClient(try PostgresConfiguration(settings: settings), logger: assembly.logger)
        let coordinator = Coordinator(
            Coordinator.Configuration(
                member: fleet.incarnation, partitions: fleet.partitions, groups: try EnabledGroups(settings: settings),
                limits: fleet.limits),
            handOff: fleet.handOff, logger: assembly.logger,
            onReady: { isReady, reason in
                assembly.health.setReady("redis", isReady, reason: reason)
                announcer.setReady(isReady)
            })
        let projector = SettingsProjector(
            store: PostgresSettingsStore(client: postgres), handOff: fleet.handOff, partitions: fleet.partitions,
            limits: fleet.limits, logger: assembly.logger)
        let record = PostgresSessionRecord(client: postgres)
        assembly.health.expect("redis")
        try await assembly.run(
            [
                fleet.service, BackgroundService { await postgres.run() },
                fleet.worker(
                    .record, .wholeStream(.events),
                    RecordLaneFactory(record: record, limits: fleet.limits),
                    in: assembly, limits: fleet.limits.ofRecord),
                FleetMember(fleet: fleet, logger: assembly.logger, service: coordinator),
                FleetMember(fleet: fleet, logger: assembly.logger, service: projector),
                FleetMember(
                    fleet: fleet, logger: assembly.logger,
                    service: ForgottenSessions(
                        record: record, handOff: fleet.handOff, partitions: fleet.partitions, limits: fleet.limits,
                        logger: assembly.logger)),
                LedgerGauges(record: record, limits: fleet.limits, logger: assembly.logger),
            ], onAdminBound: announcer.adminBound)
    }
}
