import CryptoExtras
import FoundationEssentials
import JWTKit

/// A real key pair with its entry for a key set file.
struct KeyPair {
    let signer: JWTKeyCollection
    let keyID: String
    /// The same key, for tokens that do not name it.
    let nameless = JWTKeyCollection()
    /// The public half as a JSON object.
    let entry: String

    static func ec(_ keyID: String) async throws -> KeyPair {
        let key = ES256PrivateKey()
        guard let point = key.publicKey.parameters else { throw Missing() }
        let signer = JWTKeyCollection()
        await signer.add(ecdsa: key, kid: JWKIdentifier(string: keyID))
        let pair = KeyPair(
            signer: signer, keyID: keyID,
            entry: """
                {"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"\(keyID)",\
                "x":"\(urlSafe(point.x))","y":"\(urlSafe(point.y))"}
                """)
        await pair.nameless.add(ecdsa: key)
        return pair
    }

    static func rsa(_ keyID: String) async throws -> KeyPair {
        let key = try Insecure.RSA.PrivateKey(backing: _RSA.Signing.PrivateKey(keySize: .bits2048))
        let parts = try key.publicKey.getKeyPrimitives()
        let signer = JWTKeyCollection()
        await signer.add(rsa: key, digestAlgorithm: .sha256, kid: JWKIdentifier(string: keyID))
        let pair = KeyPair(
            signer: signer, keyID: keyID,
            entry: """
                {"kty":"RSA","kid":"\(keyID)","n":"\(urlSafe(parts.modulus.base64EncodedString()))",\
                "e":"\(urlSafe(parts.publicExponent.base64EncodedString()))"}
                """)
        await pair.nameless.add(rsa: key, digestAlgorithm: .sha256)
        return pair
    }

    func sign(_ claims: TestClaims) async throws -> String {
        try await signer.sign(claims, kid: JWKIdentifier(string: keyID))
    }

    func signWithoutKeyID(_ claims: TestClaims) async throws -> String { try await nameless.sign(claims) }

    private struct Missing: Error {}

    private static func urlSafe(_ base64: String) -> String {
        String(
            base64.compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}
