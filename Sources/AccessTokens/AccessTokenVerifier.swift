import FoundationEssentials
import JWTKit
package import Logging

/// Decides whether a bearer token is good, and whose it is.
///
/// Accepts HS256 with the configured secret and RS256 or ES256 with a key of the configured key set, never one with
/// the other's key. One value serves a whole process and all its threads; a check takes microseconds, plus one read
/// of the key set file when that has changed; one with a key id unknown to a key set from a URL may wait for a fetch.
package struct AccessTokenVerifier: Sendable {
    private let configuration: AccessTokenConfiguration
    private let secret: (any JWTAlgorithm)?
    private let keySet: KeySetSource?
    private let now: @Sendable () -> Date

    /// Checks the configuration and reads the key set file.
    ///
    /// Warns when development tokens are accepted.
    ///
    /// - Parameters:
    ///   - configuration: What is accepted.
    ///   - remoteKeys: A key set from a URL, which the caller runs; instead of a file.
    ///   - logger: Hears what is unusual.
    /// - Throws: `AccessTokenSetupError` when nothing is configured, or the secret or the file is no good.
    package init(
        configuration: AccessTokenConfiguration, remoteKeys: RemoteKeySet? = nil, logger: Logger
    ) async throws {
        try await self.init(configuration: configuration, remoteKeys: remoteKeys, logger: logger, now: { Date() })
    }

    init(
        configuration: AccessTokenConfiguration, remoteKeys: RemoteKeySet? = nil, logger: Logger,
        now: @escaping @Sendable () -> Date
    ) async throws {
        guard
            configuration.hs256Secret != nil || configuration.keySetFile != nil || remoteKeys != nil
                || configuration.developmentMode
        else {
            throw AccessTokenSetupError(
                "no way to check tokens is configured; set an HS256 secret, a key set file or URL, or development mode")
        }
        guard configuration.keySetFile == nil || remoteKeys == nil else {
            throw AccessTokenSetupError("a key set comes from a file or from a URL, not from both")
        }
        self.configuration = configuration
        self.now = now
        secret = try await Self.algorithm(secret: configuration.secretBytes())
        if let path = configuration.keySetFile {
            keySet = try await .file(
                KeySetFile(path: path, checkInterval: configuration.keySetCheckInterval, logger: logger))
        } else {
            keySet = remoteKeys.map { .remote($0) }
        }
        if configuration.developmentMode {
            logger.warning("development mode: anybody may be anybody with the token dev:UID; never use it in public")
        }
    }

    /// Checks a token, as it stood behind `Bearer `, and returns its uid.
    ///
    /// - Throws: `AccessTokenError`, whose message may be sent to the client.
    package func verify(_ token: String) async throws(AccessTokenError) -> String {
        guard !token.isEmpty else { throw AccessTokenError(.missing, "a bearer token is required") }
        guard token.utf8.count <= AccessTokenConfiguration.tokenBytesMaximum else {
            throw AccessTokenError(
                .malformed, "the token is longer than \(AccessTokenConfiguration.tokenBytesMaximum) bytes")
        }
        if token.hasPrefix(Self.developmentPrefix) {
            guard configuration.developmentMode else {
                throw AccessTokenError(.developmentTokenRefused, "development tokens are not accepted here")
            }
            return try TokenSubject.checked(String(token.dropFirst(Self.developmentPrefix.count)))
        }
        let parsed = try SignedToken(token)
        let key = try await key(for: parsed)
        // A key that cannot even read the signature (a wrong length, say) throws; to us that is the same.
        guard (try? key.verify(parsed.signature, signs: parsed.signed)) == true else {
            throw AccessTokenError(.badSignature, "the token's signature does not match")
        }
        guard let claims = try? JSONDecoder().decode(TokenClaims.self, from: Data(parsed.payload)) else {
            throw AccessTokenError(.malformed, "the token's claims are not a JSON object with the types of RFC 7519")
        }
        return try claims.uid(for: configuration, now: now())
    }

    private static let developmentPrefix = "dev:"

    /// Finds the one key that may verify this token; the algorithm decides where it is looked for.
    private func key(for token: SignedToken) async throws(AccessTokenError) -> any JWTAlgorithm {
        switch token.algorithm {
        case .hs256:
            guard let secret else {
                throw AccessTokenError(.unknownKey, "HS256 tokens are not accepted here: no secret is configured")
            }
            return secret
        case .rs256, .es256:
            guard let keySet else {
                throw AccessTokenError(
                    .unknownKey, "RS256 and ES256 tokens are not accepted here: no key set is configured")
            }
            if let key = await keySet.key(token.algorithm, token.keyID) { return key }
            guard token.keyID != nil else {
                throw AccessTokenError(
                    .unknownKey, "the token names no key, and there is not exactly one; `kid` is required in its header"
                )
            }
            throw AccessTokenError(.unknownKey, "the token is signed with a key that is not in the key set")
        }
    }

    private static func algorithm(secret: [UInt8]?) async throws -> (any JWTAlgorithm)? {
        guard let secret else { return nil }
        return try await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256).getKey()
    }
}
