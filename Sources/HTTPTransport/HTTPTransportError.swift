/// Why an exchange gave no response.
///
/// The message is for people; it never contains the URL's query, its user info, or a header.
package struct HTTPTransportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What went wrong, for what the caller does next.
    package enum Code: String, Sendable {
        /// The URL cannot be parsed, or asks for what no policy allows.
        case invalidURL
        /// A header's name or value would break the request, or is the transport's own.
        case invalidRequest
        /// The destination policy forbids the URL, or every address its name stands for.
        case destinationRefused
        /// The host's name has no address, or the resolver failed.
        case nameNotResolved
        /// No address accepted a connection.
        case connectFailed
        /// The TLS handshake failed, or the certificate is no good.
        case tlsFailed
        /// The connect or the total time-out passed.
        case timedOut
        /// The connection broke before the response was complete.
        case connectionLost
        /// The response's body, or its headers, are larger than allowed.
        case responseTooLarge
        /// What came is no HTTP, or its compression is broken.
        case malformedResponse
        /// As many exchanges are under way as are allowed.
        case overloaded
        /// The calling task was cancelled.
        case cancelled
        /// The transport has stopped.
        case closed
    }

    /// What went wrong.
    package let code: Code
    /// What was wrong and what is allowed, for people.
    package let message: String
    /// The response's status, where that had come.
    package var status: Int?

    /// Makes an error; for implementations of `HTTPExchanging`.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
