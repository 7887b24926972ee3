package import HTTPTransport

/// Where a voice service is that the operator chose, and how much is asked of it.
package struct RemoteVoiceConfiguration: Sendable {
    /// The service's URL without `/v2/embedding`.
    package var url: String
    /// The name under which its embeddings are kept: those of another model cannot be compared.
    package var engine = "remote"
    /// Time for one embedding, the queue excluded; text waits for it.
    package var timeout: Duration = .seconds(5)
    /// Requests under way, and requests that wait; more are refused at once.
    package var concurrencyMaximum = 8
    package var waitingMaximum = 64
    /// When the service is left alone for a while.
    package var breaker = CircuitBreaker.Policy()

    /// Names the service with the default limits.
    package init(url: String) { self.url = url }
}
