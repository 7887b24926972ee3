import Crypto
import FoundationEssentials

/// A key that signs deliveries, in the text forms of Standard Webhooks 1.0.
package enum SigningKey: Equatable, Sendable {
    /// `whsec_`: HMAC-SHA256 over 24 to 64 shared bytes, signature version `v1`.
    case shared([UInt8])
    /// `whsk_`: ed25519, signature version `v1a`; the 32 bytes are the seed.
    case ed25519(seed: [UInt8])

    /// Bytes a shared secret may have.
    package static let sharedBytes = 24...64

    private static let sharedPrefix = "whsec_"
    private static let secretPrefix = "whsk_"
    private static let publicPrefix = "whpk_"

    /// Draws a shared secret of 32 bytes.
    package static func newShared() -> SigningKey {
        .shared(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) })
    }

    /// Draws an ed25519 key.
    package static func newEd25519() -> SigningKey {
        .ed25519(seed: Array(Curve25519.Signing.PrivateKey().rawRepresentation))
    }

    /// Reads `whsec_…` or `whsk_…`.
    ///
    /// A secret ed25519 key is a seed of 32 bytes, or seed and public key in 64 bytes as libsodium writes it.
    ///
    /// - Throws: `.invalidKey`; the message never holds the text.
    package init(_ text: String) throws(WebhookError) {
        if text.hasPrefix(Self.sharedPrefix) {
            guard let bytes = Self.bytes(text.dropFirst(Self.sharedPrefix.count)) else {
                throw WebhookError(.invalidKey, "the secret is not whsec_ and base64")
            }
            guard Self.sharedBytes.contains(bytes.count) else {
                throw WebhookError(.invalidKey, "the secret has \(bytes.count) bytes; allowed are 24 to 64")
            }
            self = .shared(bytes)
        } else if text.hasPrefix(Self.secretPrefix) {
            guard let bytes = Self.bytes(text.dropFirst(Self.secretPrefix.count)), [32, 64].contains(bytes.count) else {
                throw WebhookError(.invalidKey, "the secret key is not whsk_ and base64 of 32 or 64 bytes")
            }
            self = .ed25519(seed: Array(bytes.prefix(32)))
            guard bytes.count == 32 || publicKey == Array(bytes.suffix(32)) else {
                throw WebhookError(.invalidKey, "the public half of the secret key does not belong to its seed")
            }
        } else {
            throw WebhookError(.invalidKey, "a signing key begins with whsec_ (shared) or whsk_ (ed25519)")
        }
    }

    /// The secret text: `whsec_…`, or `whsk_…` with seed and public key.
    package var text: String {
        switch self {
        case .shared(let bytes): Self.sharedPrefix + Data(bytes).base64EncodedString()
        case .ed25519(let seed): Self.secretPrefix + Data(seed + (publicKey ?? [])).base64EncodedString()
        }
    }

    /// What its receivers verify with: the secret itself when it is shared, `whpk_…` otherwise.
    package var verifyingText: String {
        switch self {
        case .shared: text
        case .ed25519: Self.publicPrefix + Data(publicKey ?? []).base64EncodedString()
        }
    }

    /// Whether it is an ed25519 key.
    package var isEd25519: Bool {
        if case .ed25519 = self { true } else { false }
    }

    /// Reads `whpk_…`.
    ///
    /// - Returns: the 32 bytes of the public key.
    /// - Throws: `.invalidKey` for anything else.
    package static func publicKey(_ text: String) throws(WebhookError) -> [UInt8] {
        guard text.hasPrefix(publicPrefix), let bytes = bytes(text.dropFirst(publicPrefix.count)), bytes.count == 32
        else { throw WebhookError(.invalidKey, "the public key is not whpk_ and base64 of 32 bytes") }
        return bytes
    }

    /// The signature of some bytes with its version, `v1,…` or `v1a,…`.
    func signature(of message: some DataProtocol) -> String {
        switch self {
        case .shared(let bytes):
            let code = HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: bytes))
            return "v1," + Data(code).base64EncodedString()
        case .ed25519(let seed):
            // A seed is any 32 bytes, and the initialisers allow no other number.
            guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
                let signature = try? key.signature(for: message)
            else { preconditionFailure("an ed25519 seed has 32 bytes") }
            return "v1a," + signature.base64EncodedString()
        }
    }

    private var publicKey: [UInt8]? {
        guard case .ed25519(let seed) = self,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        else { return nil }
        return Array(key.publicKey.rawRepresentation)
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        Data(base64Encoded: String(text)).map { Array($0) }
    }
}
