import ArgumentParser
import EarshotModel
import PostgresClient
import SessionRecord

/// `earshot user`: what a user's audio is used for.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Shows or changes a user's settings.",
        discussion: """
            The fleet follows within seconds; a session gets the settings it is opened with. With --json: one object \
            {"uid","storage","protection"}.
            """)

    @Argument(help: ArgumentHelp("The user: \(UserID.rule).", valueName: "uid"))
    var uid: String

    @Option(help: ArgumentHelp("Whether the user's audio is stored.", valueName: "on|off"))
    var storage: Switch?

    @Option(
        help: ArgumentHelp(
            "How stored audio is protected: enhanced encrypts it with the user's own key.",
            valueName: UserSettings.Protection.allCases.map(\.rawValue).joined(separator: "|")))
    var protection: UserSettings.Protection?

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    /// `on` or `off`.
    enum Switch: String, ExpressibleByArgument, CaseIterable {
        case on
        case off
    }

    /// What `--json` prints.
    private struct Shown: Encodable {
        let uid: String
        let storage: Bool
        let protection: UserSettings.Protection
    }

    func validate() throws {
        guard UserID(uid) != nil else {
            throw ValidationError("\(uid.debugDescription) is not a user id; allowed: \(UserID.rule)")
        }
    }

    func run() async throws {
        guard let user = UserID(uid) else { return }
        let store = PostgresSettingsStore(client: try postgres.client())
        do {
            if storage != nil || protection != nil {
                try await store.change(user, isStorageOn: storage.map { $0 == .on }, protection: protection)
            }
            let settings = try await store.settings(of: user)
            if json {
                let shown = Shown(uid: uid, storage: settings.isStorageOn, protection: settings.protection)
                ConsoleOutput.line(try ConsoleJSON.line(shown))
            } else {
                ConsoleOutput.line(
                    "\(uid): storage \(settings.isStorageOn ? "on" : "off"), protection \(settings.protection.rawValue)"
                )
            }
        } catch let error as SessionRecordError {
            throw CommandError("the settings are not to be had: \(error.message)")
        }
    }
}

extension UserSettings.Protection: ExpressibleByArgument {}
