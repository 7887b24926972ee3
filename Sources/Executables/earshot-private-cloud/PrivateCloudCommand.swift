import ArgumentParser

/// `earshot-private-cloud`: not assembled yet.
@main
struct PrivateCloudCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "earshot-private-cloud")

    func run() async throws {}
}
