import HTTPTransport
import Logging
import TestSupport

/// A running transport that may go to loopback over plain HTTP.
enum TransportHarness {
    static func configuration(allowed: [String] = ["127.0.0.1"]) throws -> HTTPTransportConfiguration {
        HTTPTransportConfiguration(
            destinations: try DestinationPolicy(allowedNetworks: allowed, allowsPlainHTTP: true))
    }

    /// Runs a body against a transport, which is stopped behind it.
    static func run<Result>(
        _ configuration: HTTPTransportConfiguration, _ body: (HTTPTransport) async throws -> Result
    ) async throws -> Result {
        let transport = HTTPTransport(configuration, logger: Logger(label: "test"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await transport.run() }
            defer { group.cancelAll() }
            return try await body(transport)
        }
    }

    /// A server and a transport that may reach it.
    static func run<Result>(
        _ handler: @escaping HTTPServer.Handler, _ body: (HTTPServer, HTTPTransport) async throws -> Result
    ) async throws -> Result {
        try await HTTPServer.run(handler) { server in
            try await run(try configuration()) { try await body(server, $0) }
        }
    }

    /// The code of the error a request ends with; nil when it succeeds.
    static func code(_ request: HTTPRequest, _ transport: HTTPTransport) async -> HTTPTransportError.Code? {
        do throws(HTTPTransportError) {
            _ = try await transport.send(request)
            return nil
        } catch {
            return error.code
        }
    }
}
