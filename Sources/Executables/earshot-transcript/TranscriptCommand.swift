import ArgumentParser
import AudioStreams
import EarshotModel
import NIOCore
import RedisClient
import ServiceBootstrap
import SpeechEngine
import SpeechRecognition
import TranscriptWorker
import WorkerRuntime

/// `earshot-transcript`: turns audio into text; configured by `EARSHOT_…` (docs/operations.md).
@main
struct TranscriptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "earshot-transcript", abstract: "Turns the audio of its partitions into transcripts.")

    func run() async throws {
        let settings = Settings()
        let assembly = ServiceAssembly.start(try ProcessConfiguration(role: "transcript", settings: settings))
        let announcer = try ReadyAnnouncer(assembly.configuration, settings: settings)
        let fleet = try FleetConnection(assembly, settings: settings)
        let directory =
            settings.text("speech.dir")
            ?? CheckoutPaths.find(
                ".cache/speech", installed: "/usr/share/earshot/speech")
        let library = try SpeechEngineLibrary.load(SpeechEngineFiles(directory: directory ?? ".cache/speech"))
        let threads = try settings.int("speech.threads", in: 1...64, default: 2)
        let recognizer = EmbeddedRecognizer(library, threads: threads, logger: assembly.logger)
        let remote = try remoteSpeech(settings, embedded: recognizer, logger: assembly.logger)
        let interims =
            try settings.bool("interim", default: true)
            ? InterimPublisher(recognizer: recognizer, concurrency: threads) : nil
        let worker = Worker(
            Worker.Configuration(
                group: .transcript, routing: .sessions(wanted: .transcript), member: fleet.incarnation,
                partitions: fleet.partitions, limits: fleet.limits),
            handOff: fleet.handOff,
            reader: RedisStreamReader(
                reader: RedisBlockingReader(
                    fleet.redis, eventLoop: assembly.eventLoopGroup.next(), logger: assembly.logger), keys: fleet.keys),
            factory: SpeechLaneFactory(
                recognizer: recognizer, remote: remote, voiceActivity: SileroVoiceActivity(try SileroModel(library)),
                interims: interims, limits: fleet.limits),
            logger: assembly.logger,
            onReady: { isReady, reason in
                assembly.health.setReady("redis", isReady, reason: reason)
                announcer.setReady(isReady)
            })
        assembly.health.expect("redis")
        try await assembly.run(
            [fleet.service, BackgroundService { try await recognizer.run() }]
                + (remote.map { remote in [BackgroundService { await remote.run() }] } ?? [])
                + (interims.map { interims in [BackgroundService { await interims.run() }] } ?? [])
                + [FleetMember(fleet: fleet, logger: assembly.logger, service: worker)],
            onAdminBound: announcer.adminBound)
    }
}
