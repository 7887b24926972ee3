import AccessTokens
import ServiceBootstrap

/// Mints tokens with the secret in force: the one of the environment, else the one of the data directory.
struct TokenSource {
    private let configuration: AccessTokenConfiguration

    /// Finds the secret.
    ///
    /// - Throws: `CommandError` when there is none, saying where one comes from.
    init(dataDirectory: String, settings: Settings) throws {
        let environment = try settings.secret(
            "auth.hs256.secret", minimumBytes: AccessTokenConfiguration.secretBytesMinimum)
        let stored = try SecretFile.read(DataDirectoryPaths(dataDirectory).tokenSecret)
        guard let secret = environment?.revealed ?? stored else {
            throw CommandError(
                "there is no secret to sign tokens with: \(dataDirectory) is not the data directory of an "
                    + "`earshot up`, and EARSHOT_AUTH_HS256_SECRET is not set")
        }
        configuration = AccessTokenConfiguration(
            hs256Secret: secret, issuer: settings.text("auth.issuer"), audience: settings.text("auth.audience"))
    }

    func mint(uid: String, lifetime: Duration) async throws -> String {
        try await AccessTokenMinter(configuration: configuration).mint(uid: uid, lifetime: lifetime)
    }
}
