import ArgumentParser
import EarshotModel
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
        let files = try SpeechEngineFiles(directory: directory ?? ".cache/speech")
        // A damaged model hears nonsense and says so nowhere; reading it once finds that out.
        try files.verify()
        let library = try SpeechEngineLibrary.load(files)
        let threads = try settings.int("speech.threads", in: 1...64, default: 2)
        let recognizer = EmbeddedRecognizer(library, threads: threads, logger: assembly.logger)
        let remote = try remoteSpeech(settings, embedded: recognizer, logger: assembly.logger)
        let interims =
            try settings.bool("interim", default: true)
            ? InterimPublisher(recognizer: recognizer, concurrency: threads) : nil
        let known = fleet.settings(in: assembly)
        let speakers = try labelling(settings, library, recognizer, known.cache, assembly.logger)
        let factory = SpeechLaneFactory(
            recognizer: recognizer, remote: remote, voiceActivity: SileroVoiceActivity(try SileroModel(library)),
            interims: interims, labelling: speakers?.labelling, limits: fleet.limits)
        let speech =
            [BackgroundService { try await recognizer.run() }]
            + (remote.map { remote in [BackgroundService { await remote.run() }] } ?? [])
            + (speakers?.services ?? [])
            + (interims.map { interims in [BackgroundService { await interims.run() }] } ?? [])
        try await assembly.run(
            [fleet.service, known.service] + speech + [
                fleet.worker(
                    .transcript, .sessions(wanted: .transcript), factory, in: assembly, announcer: announcer)
            ], onAdminBound: announcer.adminBound)
    }
}
