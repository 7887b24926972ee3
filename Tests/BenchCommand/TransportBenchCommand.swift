import ArgumentParser
import HTTPTransport
import TestSupport

/// `earshot-bench transport`: the transport alone, with more and more transfers at once.
struct TransportBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transport", abstract: "Sends bare requests, so many at once.")

    @Option(help: "Where the receiver is.")
    var url: String

    @Option(help: "Transfers at once.")
    var transfers: Int

    @Option(help: "Requests in all.")
    var requests = 20_000

    func run() async throws {
        let policy = try DestinationPolicy(allowedNetworks: ["127.0.0.0/8"], allowsPlainHTTP: true)
        var configuration = HTTPTransportConfiguration(destinations: policy)
        configuration.connectionsPerHostMaximum = transfers
        let transport = HTTPTransport(configuration, logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await transport.run() }
            try await LoadLoop(requests: transfers, workers: transfers).run { try await send(over: transport) }
            let report = try await BenchReport.measuring(
                "transport", requests: requests, connections: transfers
            ) {
                try await LoadLoop(requests: requests, workers: transfers).run { try await send(over: transport) }
            }
            try report.report()
            tasks.cancelAll()
        }
    }

    private func send(over transport: HTTPTransport) async throws {
        let response = try await transport.send(HTTPRequest(.post, url, body: Array(repeating: 0x61, count: 512)))
        guard response.status == 200 else { throw ValidationError("the receiver answered \(response.status)") }
    }
}
