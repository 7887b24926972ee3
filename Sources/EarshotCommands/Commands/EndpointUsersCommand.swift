import ArgumentParser
import EarshotModel
import WebhookDelivery

/// `earshot endpoint users`.
struct EndpointUsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Shows or changes who uses an app: whose events its endpoints get.")

    @Argument(help: ArgumentHelp("The app: \(EndpointOwner.appRule).", valueName: "app"))
    var app: String

    @Option(help: ArgumentHelp("Adds a user; may be repeated.", valueName: "uid"))
    var add: [String] = []

    @Option(help: ArgumentHelp("Removes a user; may be repeated.", valueName: "uid"))
    var remove: [String] = []

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    private struct Shown: Encodable {
        let app: String
        let uids: [String]
    }

    /// A list nobody reads to its end.
    private static let shownMaximum = 10_000

    func validate() throws {
        guard EndpointOwner.app(named: app) != nil else {
            throw ValidationError("\(app.debugDescription) is not a name; allowed: \(EndpointOwner.appRule)")
        }
        for uid in add + remove where UserID(uid) == nil {
            throw ValidationError("\(uid.debugDescription) is not a user id; allowed: \(UserID.rule)")
        }
    }

    func run() async throws {
        let store = PostgresEndpointStore(client: try postgres.client())
        if !add.isEmpty || !remove.isEmpty {
            try await store.setUsers(
                ofApp: app, adding: add.compactMap { UserID($0) }, removing: remove.compactMap { UserID($0) })
        }
        let uids = try await store.users(ofApp: app, limit: Self.shownMaximum)
        ConsoleOutput.line(
            json
                ? try ConsoleJSON.line(Shown(app: app, uids: uids))
                : uids.isEmpty ? "the app \(app) has no users" : uids.joined(separator: "\n"))
    }
}
