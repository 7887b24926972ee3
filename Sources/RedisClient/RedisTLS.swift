import NIOCore
import NIOSSL
import Synchronization

/// How a connection to Redis is encrypted and whom it trusts.
///
/// The server's certificate is verified against its name or address unless that is switched off.
package struct RedisTLS: Sendable {
    /// A PEM file of the authorities to trust instead of the system's.
    package var certificateAuthorityFile: String? {
        didSet { cache = ContextCache() }
    }
    /// Whether the server's certificate is checked.
    ///
    /// Switched off, anyone on the path can read and alter everything.
    package var verifiesCertificate: Bool {
        didSet { cache = ContextCache() }
    }

    /// Reading the trust roots takes tens of milliseconds, too long for an event loop on each reconnect.
    private var cache = ContextCache()

    /// Creates the settings.
    ///
    /// - Parameters:
    ///   - certificateAuthorityFile: A PEM file of the authorities to trust; nil trusts the system's.
    ///   - verifiesCertificate: Whether the server's certificate is checked.
    package init(certificateAuthorityFile: String? = nil, verifiesCertificate: Bool = true) {
        self.certificateAuthorityFile = certificateAuthorityFile
        self.verifiesCertificate = verifiesCertificate
    }

    /// Reads the trust roots, so that what is wrong with them is known before the first connection.
    ///
    /// - Throws: `.invalidConfiguration`, naming the file.
    package func check() throws(RedisError) { _ = try context() }

    /// The NIOSSL context for these settings, made at the first call and kept.
    func context() throws(RedisError) -> NIOSSLContext {
        do {
            return try cache.context.withLock { kept in
                if let kept { return kept }
                let made = try NIOSSLContext(configuration: makeConfiguration())
                kept = made
                return made
            }
        } catch {
            let source = certificateAuthorityFile.map { "the certificate authority file \($0)" } ?? "the trust roots"
            throw RedisError(.invalidConfiguration, "TLS cannot be set up with \(source)", underlying: error)
        }
    }

    private func makeConfiguration() -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let certificateAuthorityFile { configuration.trustRoots = .file(certificateAuthorityFile) }
        configuration.certificateVerification = verifiesCertificate ? .fullVerification : .none
        // A server that hangs does not answer the closing handshake either; do not wait the default 5 s for it.
        configuration.shutdownTimeout = .seconds(1)
        return configuration
    }

    private final class ContextCache: Sendable {
        let context = Mutex<NIOSSLContext?>(nil)
    }
}
