import ArgumentParser

/// `earshot endpoint`: where events and live audio are delivered.
struct EndpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoint", abstract: "Manages webhook endpoints.",
        discussion: """
            An endpoint belongs to a user, or to an app and so to every user of the app. The fleet follows changes \
            within seconds. What is sent, and how it is signed, is in docs/webhooks.md.
            """,
        subcommands: [
            EndpointAddCommand.self, EndpointListCommand.self, EndpointDisableCommand.self,
            EndpointEnableCommand.self, EndpointRotateCommand.self, EndpointTestCommand.self,
            EndpointAttemptsCommand.self, EndpointUsersCommand.self,
        ])
}
