import Synchronization

/// Answers requests in memory, and remembers them; for tests of those who send requests.
package final class InMemoryHTTPExchange: HTTPExchanging {
    private let answer: @Sendable (HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse
    private let sent = Mutex<[HTTPRequest]>([])

    /// Answers with what the closure returns or throws.
    package init(_ answer: @escaping @Sendable (HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse) {
        self.answer = answer
    }

    /// All requests so far.
    package var requests: [HTTPRequest] { sent.withLock(\.self) }

    package func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse {
        sent.withLock { $0.append(request) }
        return try await answer(request)
    }
}
