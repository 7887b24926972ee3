import ArgumentParser
import AudioCodecs
import EarshotClient
import EarshotModel
import ServiceBootstrap

/// `earshot stream`: behaves as a device, or as many.
struct StreamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stream", abstract: "Streams a recording as a device does, and shows its words.",
        discussion: """
            The device's token is --token, or one minted for --uid with the secret of the data directory (or with \
            EARSHOT_AUTH_HS256_SECRET). With --sessions N the users are UID-1 to UID-N, or UID alone with --same-user.

            Exit code: 0 all sessions completed, 1 one failed (standard error says why), 2 called the wrong way.

            With --json: one object on one line at the end. {"sessions":[{"uid","outcome" (completed, ended_by_server, \
            not_authenticated, not_ready, failed),"error","http_status","session_id","conversation_id","close_code",\
            "close_reason","sent_seconds","sent_messages","text","segments":[{"id","text","start","end","speaker"}],\
            "first_interim_ms" (first word's sound to its first text),"final_latencies_ms" (a segment's end to its \
            last text; empty when the conversation was older than the session),"lateness_max_ms"; with --native \
            "acknowledged_messages","durability","chain" (its sessions),"reconnects"}],"completed",\
            "failed","audio_seconds","elapsed_seconds","error" (why no device was started)}; what is not known is \
            left out.

            An Ogg Opus file is sent as it is, packet by packet, unless --codec is one of PCM. With --native the \
            file may be - for 16-bit mono PCM from standard input at --sample-rate, until its end, as of a microphone: \
            arecord -q -f S16_LE -r 16000 -c 1 -t raw | earshot stream - --native
            """)

    @Argument(
        help: ArgumentHelp(
            "A WAV or Ogg Opus file, headerless 16-bit mono with --raw-rate, or - (see above).", valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp(
            "The gateway, or a whole endpoint (default: that of the data directory, else \(StreamPlan.defaultURL)).",
            valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("The user: \(UserID.rule).", valueName: "uid"))
    var uid = "demo"

    @Option(help: ArgumentHelp("A token; better EARSHOT_TOKEN, which other users cannot read.", valueName: "token"))
    var token: String?

    @Option(
        help: ArgumentHelp(
            "\(DeviceCodec.allCases.map(\.rawValue).joined(separator: ", ")) (default: opus_fs320, of - pcm16).",
            valueName: "codec"))
    var codec: String?

    @Option(help: ArgumentHelp("The rate on the wire, in Hz.", valueName: "n"))
    var sampleRate = 16_000

    @Option(help: ArgumentHelp("1 is real time, 0 as fast as the server takes it, else 0.1 to 1000.", valueName: "x"))
    var speed = 1.0

    @Option(help: ArgumentHelp("How many devices, 1 to \(StreamPlan.sessionsMaximum).", valueName: "n"))
    var sessions = 1

    @Option(help: ArgumentHelp("Spreads the devices' starts over this time.", valueName: "seconds"))
    var stagger = 0.0

    @Flag(help: "All devices belong to one user.")
    var sameUser = false

    @Option(help: ArgumentHelp("The language spoken.", valueName: "tag"))
    var language = "en"

    @Option(help: ArgumentHelp("Stays until no text has changed for this long.", valueName: "seconds"))
    var linger = 5.0

    @Option(help: ArgumentHelp("Stays no longer than this after the last sound.", valueName: "seconds"))
    var lingerMax = 120.0

    @Option(help: ArgumentHelp("The file is headerless, with this rate in Hz.", valueName: "n"))
    var rawRate: Int?

    @Flag(
        help: ArgumentHelp(
            "Sends to /v1/stream, resuming until all is acknowledged (docs/protocol.md)."))
    var native = false

    @Flag(help: "Prints one line of JSON at the end, and nothing before.")
    var json = false

    @OptionGroup var data: DataDirectoryOption

    func validate() throws {
        guard let deviceCodec else {
            let allowed = DeviceCodec.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--codec \((codec ?? "").debugDescription) is unknown; allowed: \(allowed)")
        }
        try validateRates(deviceCodec)
        if let url {
            do throws(DeviceConnectionError) {
                try DeviceAddress.check(url)
            } catch {
                throw ValidationError("--url \(error.message)")
            }
        }
        guard file != StreamPlan.pipeName || (native && sessions == 1 && !deviceCodec.isOpus) else {
            throw ValidationError("standard input is PCM of one device: add --native, with --codec pcm16 or pcm8")
        }
        guard UserID(uid) != nil, sessions == 1 || sameUser || UserID("\(uid)-\(sessions)") != nil else {
            throw ValidationError("--uid \(uid.debugDescription) makes no user ids; allowed: \(UserID.rule)")
        }
        guard (1...StreamPlan.sessionsMaximum).contains(sessions) else {
            throw ValidationError(
                "--sessions \(sessions) is not allowed; allowed are 1 to \(StreamPlan.sessionsMaximum)")
        }
        guard speed == 0 || DeviceSessionConfiguration.speeds.contains(speed) else {
            throw ValidationError("--speed \(speed) is not allowed; allowed are 0 and 0.1 to 1000")
        }
        for (name, value) in [("--stagger", stagger), ("--linger", linger), ("--linger-max", lingerMax)] {
            guard StreamPlan.lingerSeconds.contains(value) else {
                throw ValidationError("\(name) \(value) is not allowed; allowed are 0 to 3600 seconds")
            }
        }
        guard !language.isEmpty, language.utf8.allSatisfy({ $0.isTagByte }) else {
            throw ValidationError("--language \(language.debugDescription) is no tag such as en, en-US or multi")
        }
        guard token == nil || sessions == 1 || sameUser else {
            throw ValidationError("--token is one user's: with --sessions \(sessions) add --same-user, or leave it out")
        }
    }

    private func validateRates(_ deviceCodec: DeviceCodec) throws {
        let rates = AudioCodec(rawValue: deviceCodec.rawValue)?.sampleRates ?? []
        guard rates.contains(sampleRate) else {
            let allowed = rates.map(String.init).joined(separator: ", ")
            throw ValidationError(
                "--sample-rate \(sampleRate) is not allowed with \(deviceCodec.rawValue); allowed are \(allowed)")
        }
        guard let rawRate, !WAVFile.sampleRates.contains(rawRate) else { return }
        let allowed = "\(WAVFile.sampleRates.lowerBound) to \(WAVFile.sampleRates.upperBound)"
        throw ValidationError("--raw-rate \(rawRate) is not allowed; allowed are \(allowed)")
    }

    func run() async throws {
        let summary: StreamSummary
        do {
            summary = try await runDevices()
        } catch {
            // Whoever reads the output gets its one object, whatever happens.
            if json {
                let failure = StreamSummary(
                    sessions: [], completed: 0, failed: sessions, audioSeconds: 0, elapsedSeconds: 0,
                    error: "\(error)")
                ConsoleOutput.line(try ConsoleJSON.line(failure))
            }
            throw error
        }
        try report(summary)
        if summary.failed > 0 { throw ExitCode.failure }
    }

    private func runDevices() async throws -> StreamSummary {
        ProcessFacts.raiseOpenFilesLimit()
        let settings = Settings()
        let plan = try plan()
        let stream = try plan.stream()
        let token = try tokens(settings)
        let isTerminal = ConsoleOutput.isTerminal
        let display = ConsoleStreamDisplay(
            audioSeconds: stream.duration.inSeconds, speed: speed, sessions: sessions, isTerminal: isTerminal)
        let run = StreamRun(
            plan: plan, stream: stream, token: token, observer: { display.observe($0, $1) },
            onEnd: { display.ended($1) })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            if !json { group.addTask { await display.run() } }
            let summary = try await run.run()
            group.cancelAll()
            try await group.waitForAll()
            return summary
        }
    }

    private func report(_ summary: StreamSummary) throws {
        if json {
            ConsoleOutput.line(try ConsoleJSON.line(summary))
        } else if sessions > 1 {
            ConsoleOutput.line("\(summary.completed) of \(sessions) sessions completed")
        } else if let session = summary.sessions.first, let id = session.sessionID {
            ConsoleOutput.line("session \(id), conversation \(session.conversationID ?? "–")")
            for later in session.chain ?? [] where later != id {
                ConsoleOutput.line("session \(later) goes on from it")
            }
        }
        for session in summary.sessions {
            guard let error = session.error else { continue }
            ConsoleOutput.error("earshot: \(session.uid): \(error)")
        }
    }

    private func plan() throws -> StreamPlan {
        StreamPlan(
            file: file, rawRate: rawRate, url: try url ?? StreamPlan.url(dataDirectory: data.path), uid: uid,
            codec: deviceCodec ?? .opusFS320,
            sampleRate: sampleRate, speed: speed, sessions: sessions, staggerSeconds: stagger, isSameUser: sameUser,
            language: language, lingerSeconds: linger, lingerMaximumSeconds: lingerMax, isNative: native)
    }

    /// The codec asked for, or the input's own; `nil` for an unknown one.
    private var deviceCodec: DeviceCodec? {
        guard let codec else { return file == StreamPlan.pipeName ? .pcm16 : .opusFS320 }
        return DeviceCodec(rawValue: codec)
    }

    /// How a device gets its token.
    private func tokens(_ settings: Settings) throws -> @Sendable (String) async throws -> String {
        if let token = token ?? settings.text("token") { return { _ in token } }
        let source = try TokenSource(dataDirectory: data.path, settings: settings)
        let lifetime = Duration.seconds(24 * 3_600)
        return { uid in try await source.mint(uid: uid, lifetime: lifetime) }
    }
}

extension UInt8 {
    /// A byte of a language tag, which goes into a query as it is.
    fileprivate var isTagByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
