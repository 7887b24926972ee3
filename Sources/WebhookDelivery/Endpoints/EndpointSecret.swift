/// A signing key of an endpoint with the time until which it is good.
package struct EndpointSecret: Equatable, Sendable {
    package var key: SigningKey
    /// Unix µs; `nil` for a key that was not rotated out.
    package var expiresAt: Int64?

    /// Makes a secret.
    package init(key: SigningKey, expiresAt: Int64? = nil) {
        self.key = key
        self.expiresAt = expiresAt
    }
}
