import JWTKit

/// Where the public keys for RS256 and ES256 come from.
enum KeySetSource: Sendable {
    case file(KeySetFile)
    case remote(RemoteKeySet)

    func key(_ algorithm: TokenAlgorithm, _ keyID: String?) async -> (any JWTAlgorithm)? {
        switch self {
        case .file(let file): await file.current().key(algorithm, keyID)
        case .remote(let remote): await remote.key(algorithm, keyID)
        }
    }
}
