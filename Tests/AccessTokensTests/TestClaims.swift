import FoundationEssentials
import JWTKit

/// Claims as an identity provider would send them, every one optional.
struct TestClaims: JWTPayload {
    var sub: String? = "alice"
    var exp: Double? = Date().timeIntervalSince1970 + 600
    var nbf: Double?
    var iat: Double?
    var iss: String?
    var aud: [String]?

    func verify(using algorithm: some JWTAlgorithm) async throws {}
}
