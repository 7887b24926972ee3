/// Sends HTTP requests.
package protocol HTTPExchanging: Sendable {
    /// Sends one request and returns the response, whatever its status.
    ///
    /// Redirects are not followed. Cancelling the task ends the exchange at once. A request may reach the server twice
    /// when a kept connection breaks before the first byte of an answer.
    func send(_ request: HTTPRequest) async throws(HTTPTransportError) -> HTTPResponse
}
