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
        /// nil for an entry without a `kid`, which only tokens without one may use.
        let keyID: String?
    }

    private var keys: [Name: any JWTAlgorithm] = [:]
    /// How many keys the document has for an algorithm.
    private var counts: [TokenAlgorithm: Int] = [:]
    /// Entries that are none of ours: other key types, other uses, private algorithms.
    private(set) var ignored = 0

    var count: Int { keys.count }

    init() {}

    /// Reads a key set.
    ///
    /// Entries for other purposes are ignored, as RFC 7517 asks; an entry meant for us that is broken spoils the file.
    /// A `kid` is optional there, too: of several keys of an algorithm without one none can be chosen, and they are
    /// ignored.
    init(json: [UInt8]) async throws(AccessTokenSetupError) {
        guard let file = try? JSONDecoder().decode(KeySetDocument.self, from: Data(json)) else {
            throw AccessTokenSetupError("it is not a JSON Web Key Set: an object with an array `keys` is needed")
        }
        guard file.keys.count <= Self.keysMaximum else {
            throw AccessTokenSetupError("it has \(file.keys.count) keys; allowed are \(Self.keysMaximum)")
        }
        var nameless: [TokenAlgorithm: Int] = [:]
        for entry in file.keys {
            guard let algorithm = entry.algorithm else {
                ignored += 1
                continue
            }
            let keyID = entry.kid.flatMap { $0.isEmpty ? nil : $0 }
            let name = Name(algorithm: algorithm, keyID: keyID)
            if let keyID, keys[name] != nil {
                throw AccessTokenSetupError("two \(algorithm.rawValue) keys have the kid \(keyID.debugDescription)")
            }
            if keyID == nil { nameless[algorithm, default: 0] += 1 }
            counts[algorithm, default: 0] += 1
            keys[name] = try await Self.verifier(for: entry, algorithm: algorithm, keyID: keyID ?? "")
        }
        for (algorithm, count) in nameless where count > 1 {
            keys[Name(algorithm: algorithm, keyID: nil)] = nil
            ignored += count
        }
        guard !keys.isEmpty else {
            throw AccessTokenSetupError(
                "it has no usable key; needed is an RSA or P-256 key for signatures (RS256 or ES256), with a `kid` if "
                    + "there are several")
        }
    }

    /// The key a token names; for a token that names none the only one there is for its algorithm.
    func key(_ algorithm: TokenAlgorithm, _ keyID: String?) -> (any JWTAlgorithm)? {
        if let keyID { return keys[Name(algorithm: algorithm, keyID: keyID)] }
        guard counts[algorithm] == 1 else { return nil }
        return keys.first { $0.key.algorithm == algorithm }?.value
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
