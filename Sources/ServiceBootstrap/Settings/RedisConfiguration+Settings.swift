package import RedisClient

extension RedisConfiguration {
    /// Reads the settings.
    ///
    /// ## Configuration keys
    /// - `redis.url` (redis:// or rediss:// URL, secret, optional, default redis://127.0.0.1:6379).
    /// - `redis.ca.file` (path, optional, default the system's): a PEM file with the certificate authorities to trust;
    ///   with rediss:// only.
    /// - `redis.verify.certificate` (true or false, optional, default true): whether the certificate is checked.
    package init(settings: Settings) throws {
        try self.init(
            url: try settings.url("redis.url", schemes: ["redis", "rediss"], default: "redis://127.0.0.1:6379")
                .revealed)
        let authority = settings.text("redis.ca.file")
        let verifies = try settings.bool("redis.verify.certificate", default: true)
        guard var encryption = tls else {
            guard authority == nil else {
                throw settings.error(
                    "redis.ca.file", problem: "the connection is not encrypted",
                    allowed: "with an EARSHOT_REDIS_URL that begins with rediss://")
            }
            return
        }
        encryption.certificateAuthorityFile = authority
        encryption.verifiesCertificate = verifies
        do throws(RedisError) {
            try encryption.check()
        } catch {
            throw settings.error(
                "redis.ca.file", problem: "\(error)", allowed: "a PEM file with certificate authorities")
        }
        tls = encryption
    }
}
