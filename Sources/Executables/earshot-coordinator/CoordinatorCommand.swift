import ArgumentParser
import AudioStreams
import CoordinatorService
import EarshotModel
import NIOCore
import PostgresClient
import RedisClient
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
        let postgres = PostgresClient(
            try PostgresConfiguration(
                url: try settings.url(
                    "postgres.url", schemes: ["postgres", "postgresql"],
                    default: "postgres://earshot@127.0.0.1:5432/earshot"
                ).revealed), logger: assembly.logger)
        let coordinator = Coordinator(
            Coordinator.Configuration(
                member: fleet.incarnation, partitions: fleet.partitions, limits: fleet.limits),
            handOff: fleet.handOff, logger: assembly.logger,
            onReady: { isReady, reason in
                assembly.health.setReady("redis", isReady, reason: reason)
                announcer.setReady(isReady)
            })
        let reader = RedisBlockingReader(
            fleet.redis, eventLoop: assembly.eventLoopGroup.next(), logger: assembly.logger)
        let record = Worker(
            Worker.Configuration(
                group: .record, routing: .wholeStream(.events), member: fleet.incarnation,
                partitions: fleet.partitions, limits: fleet.limits),
            handOff: fleet.handOff, reader: RedisStreamReader(reader: reader, keys: fleet.keys),
            factory: RecordLaneFactory(record: PostgresSessionRecord(client: postgres), limits: fleet.limits),
            logger: assembly.logger)
        assembly.health.expect("redis")
        try await assembly.run(
            [
                fleet.service, BackgroundService { await postgres.run() },
                FleetMember(fleet: fleet, logger: assembly.logger, service: record),
                FleetMember(fleet: fleet, logger: assembly.logger, service: coordinator),
            ], onAdminBound: announcer.adminBound)
    }
}
