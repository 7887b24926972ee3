import FoundationEssentials

/// The three parts of a compact JWS, taken apart but not yet believed.
struct SignedToken {
    let algorithm: TokenAlgorithm
    let keyID: String?
    /// `header.payload` as it was sent: what the signature covers.
    let signed: [UInt8]
    let payload: [UInt8]
    let signature: [UInt8]

    private struct Header: Decodable {
        let alg: String?
        let kid: String?
        let crit: [String]?
    }

    /// Parses the shape only.
    ///
    /// - Throws: `AccessTokenError` with code `malformed`.
    init(_ text: String) throws(AccessTokenError) {
        let bytes = Array(text.utf8)
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw AccessTokenError(.malformed, "the token is not a JWT: it needs three parts separated by dots")
        }
        guard let headerBytes = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else {
            throw AccessTokenError(.malformed, "the token is not a JWT: its parts must be base64url without padding")
        }
        guard let header = try? JSONDecoder().decode(Header.self, from: Data(headerBytes)) else {
            throw AccessTokenError(.malformed, "the token is not a JWT: its header is not a JSON object")
        }
        guard let algorithm = TokenAlgorithm(rawValue: header.alg ?? "") else {
            throw AccessTokenError(
                .malformed, "the token's algorithm is not accepted; allowed: \(TokenAlgorithm.allowed)")
        }
        // RFC 7515, 4.1.11: an extension we do not know must not be skipped.
        guard header.crit == nil else {
            throw AccessTokenError(.malformed, "the token asks for header extensions (`crit`), and none is supported")
        }
        self.algorithm = algorithm
        keyID = header.kid
        signed = Array(bytes[..<parts[1].endIndex])
        self.payload = payload
        self.signature = signature
    }
}
