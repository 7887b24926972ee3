package import AccessTokens
package import EarshotModel

/// What a gateway runs with.
package struct GatewayConfiguration: Sendable {
    package var host: String
    package var port: Int
    package var incarnation: Incarnation
    package var partitions: Int
    package var eventLoops: Int
    /// Origins a browser may come from; `*` means any, and clients that send no `Origin` always pass.
    package var allowedOrigins: Set<String>
    /// Languages the recognisers serve, by their primary subtag; `*` means any.
    package var languages: Set<String>
    package var tokens: AccessTokenVerifier
    /// Who may come in by `/v1/trigger/listen`.
    package var backend: BackendDoor
    package var limits: Limits

    /// Makes a configuration.
    package init(
        host: String, port: Int, incarnation: Incarnation, partitions: Int, eventLoops: Int,
        allowedOrigins: Set<String>, languages: Set<String>, tokens: AccessTokenVerifier,
        backend: BackendDoor = .closed,
        limits: Limits = Limits()
    ) {
        self.host = host
        self.port = port
        self.incarnation = incarnation
        self.partitions = partitions
        self.eventLoops = eventLoops
        self.allowedOrigins = allowedOrigins
        self.languages = languages
        self.tokens = tokens
        self.backend = backend
        self.limits = limits
    }
}
