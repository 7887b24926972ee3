package import Logging

/// Sends HTTP/1.1 requests with libcurl, all on one thread, to destinations its policy allows.
///
/// Connections are kept and used again. No redirects, cookies, proxies, credentials files or HTTP authentication. TLS
/// is 1.2 or newer and always verified. `run()` owns the thread: requests sent before it wait, requests after it are
/// refused with `closed`.
package final class HTTPTransport: HTTPExchanging {
    private let configuration: HTTPTransportConfiguration
    private let inbox: TransferInbox
    private let logger: Logger

    /// Makes a transport; `run()` starts it.
    package init(_ configuration: HTTPTransportConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        inbox = TransferInbox(transfersMaximum: configuration.transfersMaximum)
    }

    /// Works until the task is cancelled, then ends all exchanges with `closed` and joins the thread; run it once.
    package func run() async {
        do throws(HTTPTransportError) {
            let wake = try WakeDescriptor()
            guard inbox.open(wake) else { preconditionFailure("an HTTP transport is run once; make another one") }
            try await drive(wake)
        } catch {
            logger.error("HTTP transport failed", metadata: ["error": "\(error)"])
        }
        inbox.close()
        inbox.refuseRest()
        logger.info("HTTP transport stopped")
    }

    package func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        try configuration.destinations.check(url: request.url)
        try RequestCheck.check(request.headers)
        return try await inbox.submit(request).get()
    }

    private func drive(_ wake: WakeDescriptor) async throws(HTTPTransportError) {
        let (configuration, inbox, logger) = (configuration, inbox, logger)
        let isStarted = await withTaskCancellationHandler {
            await EngineThread.run {
                do throws(HTTPTransportError) {
                    try TransferEngine(configuration, inbox: inbox, wake: wake).run()
                } catch {
                    logger.error("HTTP transport failed", metadata: ["error": "\(error)"])
                }
            }
        } onCancel: {
            inbox.close()
        }
        guard isStarted else { throw HTTPTransportError(.closed, "no thread for the HTTP transport") }
    }
}
