import FoundationEssentials
import JWTKit

/// The public keys of one key set file, found by algorithm and key id.
///
/// A key serves exactly one algorithm, fixed when the file is read, so a token cannot choose how its key is used.
struct KeySet: Sendable {
    /// Largest key set file: a key is under 1 KB, and a set has a handful.
    static let fileBytesMaximum = 1024 * 1024
    /// Most keys in a file.
    static let keysMaximum = 100

    private struct Name: Hashable {
        let algorithm: TokenAlgorithm
        let keyID: String
    }

    private var keys: [Name: any JWTAlgorithm] = [:]
    /// Entries that are none of ours: other key types, other uses, private algorithms.
    private(set) var ignored = 0

    var count: Int { keys.count }

    init() {}

    /// Reads a key set.
    ///
    /// Entries for other purposes are ignored, as RFC 7517 asks; an entry meant for us that is broken spoils the file.
    init(json: [UInt8]) async throws(AccessTokenSetupError) {
        guard let file = try? JSONDecoder().decode(KeySetDocument.self, from: Data(json)) else {
            throw AccessTokenSetupError("it is not a JSON Web Key Set: an object with an array `keys` is needed")
        }
        guard file.keys.count <= Self.keysMaximum else {
            throw AccessTokenSetupError("it has \(file.keys.count) keys; allowed are \(Self.keysMaximum)")
        }
        for entry in file.keys {
            guard let algorithm = entry.algorithm, let keyID = entry.kid, !keyID.isEmpty else {
                ignored += 1
                continue
            }
            let name = Name(algorithm: algorithm, keyID: keyID)
            guard keys[name] == nil else {
                throw AccessTokenSetupError("two \(algorithm.rawValue) keys have the kid \(keyID.debugDescription)")
            }
            keys[name] = try await Self.verifier(for: entry, algorithm: algorithm, keyID: keyID)
        }
        guard !keys.isEmpty else {
            throw AccessTokenSetupError(
                "it has no usable key; needed is an RSA or P-256 key with a `kid`, for signatures (RS256 or ES256)")
        }
    }

    func key(_ algorithm: TokenAlgorithm, _ keyID: String) -> (any JWTAlgorithm)? {
        keys[Name(algorithm: algorithm, keyID: keyID)]
    }

    /// Builds the verifier from the public parts alone; a private exponent in the file is not even looked at.
    private static func verifier(
        for entry: KeySetDocument.Key, algorithm: TokenAlgorithm, keyID: String
    ) async throws(AccessTokenSetupError) -> any JWTAlgorithm {
        let identifier = JWKIdentifier(string: keyID)
        let key: JWK =
            switch algorithm {
            case .es256: .ecdsa(.es256, identifier: identifier, x: entry.x, y: entry.y, curve: .p256)
            case .rs256, .hs256: .rsa(.rs256, identifier: identifier, modulus: entry.n, exponent: entry.e)
            }
        do {
            return try await JWTKeyCollection().add(jwk: key).getKey(for: identifier)
        } catch {
            throw AccessTokenSetupError(
                "the \(algorithm.rawValue) key \(keyID.debugDescription) is damaged, or shorter than 2,048 bits")
        }
    }
}
