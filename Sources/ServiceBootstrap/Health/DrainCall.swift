import HTTPTransport
package import Logging

/// Asks a process on this machine to drain, and waits until it has: what a `preStop` hook runs.
package struct DrainCall: Sendable {
    private let url: String
    private let timeout: Duration
    private let logger: Logger

    /// A process did not drain.
    package struct Failure: Error, CustomStringConvertible {
        /// What it answered instead.
        package let description: String
    }

    /// A call to the process whose admin server listens at an address.
    ///
    /// - Parameters:
    ///   - admin: where it listens; its port is asked on loopback, whatever its host.
    ///   - timeout: the time a drain may take.
    ///   - logger: gets the transport's failures.
    package init(admin: SocketEndpoint, timeout: Duration, logger: Logger) {
        url = "http://127.0.0.1:\(admin.port)/\(DrainRoute.path)"
        self.timeout = timeout
        self.logger = logger
    }

    /// Calls and waits.
    ///
    /// - Throws: `Failure` when there is no such process, or it refuses.
    package func run() async throws {
        var configuration = HTTPTransportConfiguration(destinations: .anyAddress(allowsPlainHTTP: true))
        configuration.transfersMaximum = 1
        let transport = HTTPTransport(configuration, logger: logger)
        var request = HTTPRequest(.post, url)
        request.totalTimeout = timeout
        try await withThrowingTaskGroup(of: Void.self) { [request] tasks in
            tasks.addTask { await transport.run() }
            defer { tasks.cancelAll() }
            let response: HTTPResponse
            do throws(HTTPTransportError) {
                response = try await transport.send(request)
            } catch {
                throw Failure(description: "\(url) does not answer: \(error)")
            }
            guard response.status == 200 else { throw Failure(description: "\(url) answers \(response.status)") }
        }
    }
}
