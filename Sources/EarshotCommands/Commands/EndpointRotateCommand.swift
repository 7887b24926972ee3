import ArgumentParser
import EarshotModel
import WebhookDelivery

/// `earshot endpoint rotate`.
struct EndpointRotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Gives an endpoint new keys and prints them, once.",
        discussion: """
            Until the old keys expire every request is signed with old and new ones. --revoke makes the old ones \
            worthless at once, for keys that others have seen.
            """)

    @OptionGroup var options: EndpointOptions

    @Option(help: ArgumentHelp("How long the old keys stay good, such as 45m, 24h or 7d.", valueName: "time"))
    var keep = Lifetime(seconds: 24 * 3_600)

    @Flag(help: "Revokes the old keys now.")
    var revoke = false

    @Flag(help: "Adds an ed25519 key where there is none.")
    var ed25519 = false

    func run() async throws {
        let store = try options.store()
        let endpoint = try await options.found(in: store)
        var keys = [SigningKey.newShared()]
        if ed25519 || endpoint.keys(at: WallClock.microseconds).contains(where: \.isEd25519) {
            keys.append(.newEd25519())
        }
        try await store.rotate(endpoint.id, keep: revoke ? .zero : keep.duration, adding: keys)
        var rotated = endpoint
        rotated.secrets = keys.map { EndpointSecret(key: $0) }
        let added = AddedEndpoint(rotated)
        ConsoleOutput.line(options.json ? try ConsoleJSON.line(added) : ConsoleWebhooks.added(added))
    }
}
