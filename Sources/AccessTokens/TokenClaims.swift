import FoundationEssentials

/// The claims of a token whose signature has been verified.
struct TokenClaims: Decodable {
    let subject: String?
    let issuer: String?
    let audience: [String]
    let expires: Double?
    let notBefore: Double?
    let issued: Double?

    private enum CodingKeys: String, CodingKey {
        case subject = "sub"
        case issuer = "iss"
        case audience = "aud"
        case expires = "exp"
        case notBefore = "nbf"
        case issued = "iat"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        subject = try container.decodeIfPresent(String.self, forKey: .subject)
        issuer = try container.decodeIfPresent(String.self, forKey: .issuer)
        expires = try container.decodeIfPresent(Double.self, forKey: .expires)
        notBefore = try container.decodeIfPresent(Double.self, forKey: .notBefore)
        issued = try container.decodeIfPresent(Double.self, forKey: .issued)
        // RFC 7519, 4.1.3: an array, or for one value a plain string.
        if let one = try? container.decode(String.self, forKey: .audience) {
            audience = [one]
        } else {
            audience = try container.decodeIfPresent([String].self, forKey: .audience) ?? []
        }
    }

    /// Checks everything the configuration asks for and returns the uid.
    func uid(for configuration: AccessTokenConfiguration, now: Date) throws(AccessTokenError) -> String {
        let time = now.timeIntervalSince1970
        let leeway = Double(AccessTokenConfiguration.leeway.components.seconds)
        let expiryLeeway = Double(AccessTokenConfiguration.expiryLeeway.components.seconds)
        guard let expires else {
            throw AccessTokenError(.malformed, "the token has no expiry; `exp` is required")
        }
        guard time < expires + expiryLeeway else {
            throw AccessTokenError(.expired, "the token has expired; ask for a new one")
        }
        if let notBefore, time + leeway < notBefore {
            throw AccessTokenError(.notYetValid, "the token is not valid yet (`nbf` lies ahead)")
        }
        if let issued, time + leeway < issued {
            throw AccessTokenError(.notYetValid, "the token was issued in the future (`iat` lies ahead)")
        }
        if let wanted = configuration.issuer, issuer != wanted {
            throw AccessTokenError(.wrongIssuer, "the token was not issued by \(wanted)")
        }
        if let wanted = configuration.audience, !audience.contains(wanted) {
            throw AccessTokenError(.wrongAudience, "the token is not meant for \(wanted)")
        }
        return try TokenSubject.checked(subject ?? "")
    }
}
