import ArgumentParser
import AudioStorage
import AudioStreams
import EarshotModel
import PostgresClient
import ServiceBootstrap
import SessionRecord
import SpeechEngine
import SpeechRecognition
import StorageWorkers
import WorkerRuntime

/// `earshot-speaker-sample`: learns voices from stored audio; configured by `EARSHOT_…` (docs/operations.md).
@main
struct SpeakerSampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "earshot-speaker-sample", abstract: "Learns the voices of its partitions' users.")

    func run() async throws {
        let settings = Settings()
        let assembly = ServiceAssembly.start(try ProcessConfiguration(role: "speaker-sample", settings: settings))
        let announcer = try ReadyAnnouncer(assembly.configuration, settings: settings)
        let fleet = try FleetConnection(assembly, settings: settings)
        let directory =
            settings.text("speech.dir")
            ?? CheckoutPaths.find(".cache/speech", installed: "/usr/share/earshot/speech")
        let files = try SpeechEngineFiles(directory: directory ?? ".cache/speech")
        // A damaged model hears nonsense and says so nowhere; reading it once finds that out.
        try files.verify()
        let library = try SpeechEngineLibrary.load(files)
        // One partition has one request in hand, and nobody waits for it.
        let recognizer = EmbeddedRecognizer(library, threads: 1, logger: assembly.logger)
        let remote = try remoteVoices(settings, logger: assembly.logger)
        let postgres = PostgresClient(try PostgresConfiguration(settings: settings), logger: assembly.logger)
        let known = fleet.settings(in: assembly)
        let storage = try StorageAssembly(settings: settings, logger: assembly.logger)
        let maker = SampleMaker(
            record: PostgresVoiceRecord(client: postgres),
            audio: StoredConversationAudio(
                record: PostgresSessionRecord(client: postgres),
                reader: StoredAudioReader(store: storage.store, encryption: storage.encryption),
                handOff: fleet.handOff),
            store: storage.store, recognizer: recognizer,
            embedder: try remote ?? EmbeddedVoices(library, on: recognizer),
            settings: { try await known.cache.settings(of: $0, in: $1) }, logger: assembly.logger)
        try await assembly.run(
            [
                fleet.service, known.service, BackgroundService { await postgres.run() },
                BackgroundService { try await recognizer.run() },
            ] + storage.services + (remote.map { remote in [BackgroundService { await remote.run() }] } ?? []) + [
                fleet.worker(
                    .speakerSample, .wholeStream(.speakerSample),
                    SpeakerSampleLaneFactory(maker: maker), in: assembly, announcer: announcer)
            ], onAdminBound: announcer.adminBound)
    }
}
