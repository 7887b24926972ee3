import ArgumentParser
import AudioCodecs
import AudioStorage
import EarshotModel
import Foundation
import Logging
import ServiceBootstrap
import SessionRecord
import WebhookDelivery

/// `earshot audio`: plays stored audio back into a file.
struct AudioCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audio", abstract: "Writes a conversation's stored audio as one file.",
        discussion: """
            Sessions of the conversation are laid over each other by capture time, gaps are silence, and gaps of more \
            than 90 s are left out: the spans say what stands where, as {"spans":[{"file_seconds","capture_start",\
            "capture_end"}]} with --spans, and as lines of the output where there are several. Reads the store of the \
            data directory, or the one that EARSHOT_STORE_DIR or EARSHOT_S3_… name; encrypted audio needs the secret \
            it was stored with.
            """)

    @Argument(help: ArgumentHelp("The conversation, as `earshot sessions --all --json` names it.", valueName: "id"))
    var conversation: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write: .wav, or .ogg for Opus.", valueName: "file"))
    var output: String

    @Option(help: ArgumentHelp("Whose conversation it is, where several users have one of that id.", valueName: "uid"))
    var uid: String?

    @Option(help: ArgumentHelp("Writes the spans as JSON to this file.", valueName: "file"))
    var spans: String?

    @OptionGroup var postgres: PostgresOption

    /// What speech needs; every stored rate is converted to it.
    private static let sampleRate = 16_000

    func validate() throws {
        guard output.hasSuffix(".wav") || output.hasSuffix(".ogg") else {
            throw ValidationError("--output \(output.debugDescription) is neither a .wav nor an .ogg file")
        }
    }

    func run() async throws {
        let parts = try await RecordQueries(client: try postgres.client()).audioParts(
            ofConversation: conversation, user: uid)
        guard !parts.isEmpty else {
            throw CommandError("the record has no stored audio of conversation \(conversation)")
        }
        guard Set(parts.map(\.uid)).count == 1 else {
            throw CommandError("several users have a conversation \(conversation); say whose with --uid")
        }
        let storage = try StorageAssembly(settings: try storeSettings(), logger: Self.silent)
        let reader = StoredAudioReader(store: storage.store, encryption: storage.encryption)
        let plan = PlaybackPlan(
            parts.map {
                PlaybackPlan.Part(
                    session: $0.session, number: $0.audio.part, captureStart: $0.audio.captureStart,
                    captureEnd: $0.audio.captureEnd)
            })
        var mix = ConversationMix(sampleRate: Self.sampleRate)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in storage.services { group.addTask { try await service.run() } }
            defer { group.cancelAll() }
            for place in plan.places {
                let part = parts[place.part]
                guard let user = UserID(part.uid) else { continue }
                try mix.add(
                    try await reader.samples(of: part.audio, user: user), session: part.session,
                    number: part.audio.part, at: place.fileStart)
            }
        }
        try write(mix)
        if let spans { try ConsoleJSON.line(Spans(plan)).write(toFile: spans, atomically: true, encoding: .utf8) }
        ConsoleOutput.line(
            "\(output): \(mix.samples.count / Self.sampleRate) s from \(parts.count) parts in \(plan.spans.count) spans"
        )
        // Whoever plays a file with gaps left out has to know where they were.
        if plan.spans.count > 1 { for line in Spans(plan).lines { ConsoleOutput.line(line) } }
    }

    private func write(_ mix: ConversationMix) throws {
        if output.hasSuffix(".wav") {
            return try WAVFile(sampleRate: mix.sampleRate, samples: mix.samples).write(path: output)
        }
        var encoder = try OggOpusEncoder(
            sampleRate: mix.sampleRate, serial: 1, comments: ["EARSHOT_CONVERSATION=\(conversation)"])
        try encoder.append(mix.samples)
        try Data(try encoder.finish()).write(to: URL(fileURLWithPath: output))
    }

    /// The environment's settings, with the data directory's store and secret where they name none.
    private func storeSettings() throws -> Settings {
        let settings = Settings()
        let paths = DataDirectoryPaths(postgres.data.path)
        var flags: [String: String] = [:]
        if settings.text("store.dir") == nil { flags["store.dir"] = paths.audio }
        if settings.text("encryption.secret") == nil, let secret = try SecretFile.read(paths.encryptionSecret) {
            flags["encryption.secret"] = secret
        }
        return Settings(overriding: flags)
    }

    private static let silent = Logger(label: "earshot.cli") { _ in SwiftLogNoOpLogHandler() }

    /// What `--spans` writes.
    private struct Spans: Encodable {
        struct Span: Encodable {
            let fileSeconds: Double
            let captureStart: String
            let captureEnd: String
        }

        let spans: [Span]

        init(_ plan: PlaybackPlan) {
            spans = plan.spans.map { span in
                Span(
                    fileSeconds: Double(span.fileStart) / 1_000_000, captureStart: ISOTime.text(span.captureStart),
                    captureEnd: ISOTime.text(span.captureEnd))
            }
        }

        /// One line a span, for people.
        var lines: [String] {
            spans.map { "  from \($0.fileSeconds) s: captured \($0.captureStart) to \($0.captureEnd)" }
        }
    }
}
