import AccessTokens
import ArgumentParser
import EarshotModel
import ServiceBootstrap

/// `earshot token`: mints an access token for a user.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Prints an access token for a user.",
        discussion: """
            Signed with the secret of the data directory that `earshot up` made, or with EARSHOT_AUTH_HS256_SECRET if \
            that is set. Send it as `Authorization: Bearer TOKEN`.
            """)

    @Option(help: ArgumentHelp("The user: \(UserID.rule).", valueName: "uid"))
    var uid: String

    @Option(help: ArgumentHelp("How long it is good, such as 3600, 45m, 24h or 30d.", valueName: "time"))
    var ttl = Lifetime(seconds: 24 * 3600)

    @OptionGroup var data: DataDirectoryOption

    func validate() throws {
        guard UserID(uid) != nil else {
            throw ValidationError("--uid \(uid.debugDescription) is not a user id; allowed: \(UserID.rule)")
        }
    }

    func run() async throws {
        let source = try TokenSource(dataDirectory: data.path, settings: Settings())
        ConsoleOutput.line(try await source.mint(uid: uid, lifetime: ttl.duration))
    }
}
