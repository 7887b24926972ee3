import ArgumentParser
import EarshotModel
import SessionRecord

/// `earshot usage`: what a user's audio came to, by day.
struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Shows a user's seconds of audio by day.",
        discussion: """
            Days are those of the capture, in UTC, the latest first, over all devices. Received is audio that came in, \
            transcribed is speech in it that became text, stored is what stands in the object store. A session that \
            goes on is counted up to its last ten minutes.
            With --json: one object on one line, {"uid","days":[{"day","received_seconds","transcribed_seconds",\
            "stored_seconds"}]}.
            """)

    @Argument(help: ArgumentHelp("The user.", valueName: "uid"))
    var uid: String

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    func validate() throws {
        guard UserID(uid) != nil else {
            throw ValidationError("\(uid.debugDescription) is not a user id; allowed: \(UserID.rule)")
        }
    }

    func run() async throws {
        let days = try await RecordQueries(client: try postgres.client()).usage(of: uid)
        ConsoleOutput.line(
            json ? try ConsoleJSON.line(UserUsage(uid: uid, days: days)) : ConsoleSessions.usage(days))
    }

    /// The answer of `earshot usage UID --json`.
    private struct UserUsage: Encodable {
        let uid: String
        let days: [DailyUsage]
    }
}
