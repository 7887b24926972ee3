/// Which tokens a process accepts, and with what it mints them.
package struct AccessTokenConfiguration: Sendable, CustomStringConvertible {
    /// Fewest bytes of an HS256 secret: a key shorter than the hash weakens it (RFC 7518, 3.2).
    package static let secretBytesMinimum = 32
    /// Longest accepted token: ten times what identity providers send, and small enough to parse for anybody.
    package static let tokenBytesMaximum = 8 * 1024
    /// Clock difference between us and an issuer that is forgiven at a token's beginning (`nbf`, `iat`).
    package static let leeway: Duration = .seconds(30)
    /// The same at its end: a token's life is its issuer's promise, and what NTP leaves of a difference is less.
    package static let expiryLeeway: Duration = .seconds(2)

    /// The shared secret of HS256, used as its UTF-8 bytes; without it no HS256 token is accepted.
    package var hs256Secret: String?
    /// Path of a JSON Web Key Set with the public keys for RS256 and ES256; without it neither is accepted.
    package var keySetFile: String?
    /// The `iss` every signed token must carry; unset means any.
    package var issuer: String?
    /// A value that the `aud` of every signed token must contain; unset means any.
    package var audience: String?
    /// Accepts `dev:UID`, which proves nothing: for a developer's machine only.
    package var developmentMode: Bool
    /// Least time between two looks at the key set file.
    package var keySetCheckInterval: Duration = .seconds(1)

    /// Names what is accepted; the arguments are the properties of the same names.
    package init(
        hs256Secret: String? = nil, keySetFile: String? = nil, issuer: String? = nil, audience: String? = nil,
        developmentMode: Bool = false
    ) {
        self.hs256Secret = hs256Secret
        self.keySetFile = keySetFile
        self.issuer = issuer
        self.audience = audience
        self.developmentMode = developmentMode
    }

    /// What is switched on, without the secret.
    package var description: String {
        let parts = [
            hs256Secret.map { _ in "HS256 with a secret" },
            keySetFile.map { "RS256 and ES256 with \($0)" },
            issuer.map { "issuer \($0)" },
            audience.map { "audience \($0)" },
            developmentMode ? "development tokens" : nil,
        ]
        return parts.compactMap(\.self).joined(separator: ", ")
    }

    /// The secret's bytes, if one is set.
    ///
    /// - Throws: `AccessTokenSetupError` when the secret is too short.
    func secretBytes() throws(AccessTokenSetupError) -> [UInt8]? {
        guard let hs256Secret else { return nil }
        let bytes = Array(hs256Secret.utf8)
        guard bytes.count >= Self.secretBytesMinimum else {
            throw AccessTokenSetupError(
                "the HS256 secret has \(bytes.count) bytes; it needs at least \(Self.secretBytesMinimum), "
                    + "for instance from `openssl rand -hex 32`")
        }
        return bytes
    }
}
