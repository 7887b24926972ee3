import FoundationEssentials
import JWTKit

/// Makes HS256 tokens that an `AccessTokenVerifier` with the same configuration accepts.
package struct AccessTokenMinter: Sendable {
    /// Longest life of a token: nobody can take a token back.
    package static let lifetimeMaximum: Duration = .seconds(366 * 24 * 3600)

    private struct Claims: JWTPayload {
        let sub: String
        let iat: Int
        let exp: Int
        let iss: String?
        let aud: String?

        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    private let configuration: AccessTokenConfiguration
    private let keys = JWTKeyCollection()
    private let now: @Sendable () -> Date

    /// Takes the secret, and the issuer and audience that go into every token.
    ///
    /// - Throws: `AccessTokenSetupError` when there is no secret or it is too short.
    package init(configuration: AccessTokenConfiguration) async throws {
        try await self.init(configuration: configuration, now: { Date() })
    }

    init(configuration: AccessTokenConfiguration, now: @escaping @Sendable () -> Date) async throws {
        guard let secret = try configuration.secretBytes() else {
            throw AccessTokenSetupError("tokens can be minted only with an HS256 secret, and none is set")
        }
        self.configuration = configuration
        self.now = now
        await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    }

    /// Signs a token for a user that is good from now on.
    ///
    /// - Parameters:
    ///   - uid: Its `sub`.
    ///   - lifetime: From one second to `lifetimeMaximum`.
    /// - Returns: The token, to be sent behind `Bearer `.
    /// - Throws: `AccessTokenError` (`invalidSubject`), or `AccessTokenSetupError` for an impossible lifetime.
    package func mint(uid: String, lifetime: Duration) async throws -> String {
        let subject = try TokenSubject.checked(uid)
        guard lifetime >= .seconds(1), lifetime <= Self.lifetimeMaximum else {
            throw AccessTokenSetupError(
                "a token's lifetime must lie between 1 second and \(Self.lifetimeMaximum.components.seconds) seconds")
        }
        let issued = Int(now().timeIntervalSince1970)
        let claims = Claims(
            sub: subject, iat: issued, exp: issued + Int(lifetime.components.seconds),
            iss: configuration.issuer, aud: configuration.audience)
        return try await keys.sign(claims)
    }
}
