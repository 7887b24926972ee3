import ArgumentParser
import EarshotModel
import SessionRecord

/// `earshot sessions`: what the record holds.
struct SessionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "Lists sessions, or shows the transcript of one.",
        discussion: """
            Without a session id: those that are live now, with --all also those that have ended, newest first. \
            Where there are more than --limit, the end of the list names the --before of the next page.
            With --json: one object on one line, {"sessions":[{"session_id","uid","conversation_id","codec",\
            "sample_rate","language","source","gateway","started_at","ended_at","end_reason","audio_seconds"}],\
            "next"}, "next" being the --before of the next page if there is one, or \
            for one session {"session_id","segments":[…]} with the segments as devices get them. Times are UTC; what \
            is not known is left out.
            """)

    @Argument(help: ArgumentHelp("A session, whose transcript is shown.", valueName: "session-id"))
    var session: String?

    @Flag(help: "Also lists sessions that have ended.")
    var all = false

    @Option(help: ArgumentHelp("Lists the sessions of this user only.", valueName: "uid"))
    var uid: String?

    @Option(help: ArgumentHelp("Lists at most this many, 1 to \(Self.limitMaximum).", valueName: "n"))
    var limit = 50

    @Option(help: ArgumentHelp("Lists what is older than this session.", valueName: "session-id"))
    var before: String?

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    /// A table nobody reads to its end; who wants more asks Postgres.
    static let limitMaximum = 10_000

    func validate() throws {
        guard (1...Self.limitMaximum).contains(limit) else {
            throw ValidationError("--limit \(limit) is not allowed; allowed are 1 to \(Self.limitMaximum)")
        }
        if let uid, UserID(uid) == nil {
            throw ValidationError("--uid \(uid.debugDescription) is not a user id; allowed: \(UserID.rule)")
        }
        for id in [session, before].compactMap(\.self) where SessionID(id) == nil {
            throw ValidationError("\(id.debugDescription) is not a session id; `earshot sessions --all` lists them")
        }
        if session != nil, before != nil {
            throw ValidationError("--before belongs to a list of sessions, not to the transcript of one")
        }
    }

    func run() async throws {
        let record = RecordQueries(client: try postgres.client())
        if let session {
            try await showTranscript(of: session, in: record)
        } else {
            let listing = try await record.sessions(activeOnly: !all, user: uid, before: before, limit: limit)
            ConsoleOutput.line(json ? try ConsoleJSON.line(listing) : ConsoleSessions.listing(listing))
        }
    }

    private func showTranscript(of session: String, in record: RecordQueries) async throws {
        let transcript = try await record.transcript(ofSession: session)
        if json {
            ConsoleOutput.line(try ConsoleJSON.line(transcript))
        } else if transcript.segments.isEmpty {
            ConsoleOutput.line("nothing was said")
        } else {
            ConsoleOutput.line(ConsoleSessions.transcript(transcript.segments))
        }
    }
}
