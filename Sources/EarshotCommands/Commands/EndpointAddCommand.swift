import ArgumentParser
import EarshotModel
import WebhookDelivery

/// `earshot endpoint add`.
struct EndpointAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds an endpoint and prints its secret, once.",
        discussion: """
            Events: \(WebhookEventType.subscribable.map(\.rawValue).joined(separator: ", ")). The dialect omi knows \
            \(WebhookDialect.omi.events.map(\.rawValue).joined(separator: ", ")). Workers connect to public addresses \
            over https only, unless their configuration allows more (docs/webhooks.md).
            """)

    @OptionGroup var owner: EndpointOwnerOptions

    @Option(help: ArgumentHelp("Where requests go.", valueName: "url"))
    var url: String

    @Option(
        help: ArgumentHelp(
            "An event to deliver; may be repeated, or hold several with commas. Default: all of the dialect but "
                + "audio.bytes.", valueName: "type"))
    var event: [String] = []

    @Option(help: "How requests look: \(WebhookDialect.allCases.map(\.rawValue).joined(separator: " or ")).")
    var dialect = WebhookDialect.standard

    @Option(help: ArgumentHelp("A header of every request; may be repeated.", valueName: "name: value"))
    var header: [String] = []

    @Option(help: ArgumentHelp("Requests a second, 1 to 1000.", valueName: "n"))
    var rate = WebhookEndpoint.rateDefault

    @Option(help: ArgumentHelp("Requests at once, 1 to 64.", valueName: "n"))
    var concurrency = WebhookEndpoint.concurrencyDefault

    @Flag(help: "Waits for a failing delivery before the next of its conversation, however long it takes.")
    var strict = false

    @Option(help: ArgumentHelp("Live audio: seconds in a request, 1 to 60.", valueName: "seconds"))
    var window = WebhookEndpoint.windowSecondsDefault

    @Option(help: "Live audio, while the receiver is slow: latest skips windows, all waits.")
    var policy = AudioEndpoint.Policy.latest

    @Flag(help: "Signs with an ed25519 key, too, and prints its public half.")
    var ed25519 = false

    @Flag(help: "Prints JSON.")
    var json = false

    @OptionGroup var postgres: PostgresOption

    func validate() throws {
        guard owner.owner != nil else { throw ValidationError("name the owner with --uid or --app") }
        do throws(WebhookError) {
            try EndpointRules.check(try endpoint())
        } catch {
            throw ValidationError(error.message)
        }
    }

    func run() async throws {
        var endpoint = try endpoint()
        endpoint.secrets = [EndpointSecret(key: .newShared())]
        if ed25519 { endpoint.secrets.append(EndpointSecret(key: .newEd25519())) }
        try await PostgresEndpointStore(client: try postgres.client()).add(endpoint)
        let added = AddedEndpoint(endpoint)
        ConsoleOutput.line(json ? try ConsoleJSON.line(added) : ConsoleWebhooks.added(added))
    }

    private func endpoint() throws(WebhookError) -> WebhookEndpoint {
        guard let owner = owner.owner else { throw WebhookError(.invalidEndpoint, "there is no owner") }
        let now = WallClock.microseconds
        var endpoint = WebhookEndpoint(
            id: .timeOrdered(at: now), owner: owner, url: url, events: try events(), dialect: dialect, createdAt: now)
        endpoint.headers = try headers()
        endpoint.rate = rate
        endpoint.concurrency = concurrency
        endpoint.isStrict = strict
        endpoint.windowSeconds = window
        endpoint.audioPolicy = policy
        return endpoint
    }

    private func events() throws(WebhookError) -> [WebhookEventType] {
        let names = event.flatMap { $0.split(separator: ",").map(String.init) }
        guard !names.isEmpty else { return dialect.events.filter { $0 != .audioBytes } }
        var events: [WebhookEventType] = []
        for name in names {
            guard let type = WebhookEventType(rawValue: name), dialect.events.contains(type) else {
                let allowed = dialect.events.map(\.rawValue).joined(separator: ", ")
                throw WebhookError(
                    .invalidEndpoint, "\(name.debugDescription) is not an event of the dialect; allowed are \(allowed)")
            }
            if !events.contains(type) { events.append(type) }
        }
        return events
    }

    private func headers() throws(WebhookError) -> [String: String] {
        var headers: [String: String] = [:]
        for line in header {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw WebhookError(.invalidEndpoint, "a header is written NAME: VALUE")
            }
            let value = parts[1].drop { $0 == " " }
            guard headers.updateValue(String(value), forKey: String(parts[0])) == nil else {
                throw WebhookError(.invalidEndpoint, "the header \(parts[0]) is there twice")
            }
        }
        return headers
    }
}
