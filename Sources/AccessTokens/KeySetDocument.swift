/// The JSON of a key set file: only the members that matter here (RFC 7517, RFC 7518 section 6).
struct KeySetDocument: Decodable {
    struct Key: Decodable {
        let kty: String?
        let kid: String?
        let alg: String?
        let use: String?
        let crv: String?
        let n: String?
        let e: String?
        let x: String?
        let y: String?

        /// What the key is good for with us, or nil when it is for somebody else.
        var algorithm: TokenAlgorithm? {
            guard use == nil || use == "sig" else { return nil }
            switch (kty, crv, alg) {
            case ("RSA", _, nil), ("RSA", _, "RS256"): return .rs256
            case ("EC", "P-256", nil), ("EC", "P-256", "ES256"): return .es256
            default: return nil
            }
        }
    }

    let keys: [Key]
}
