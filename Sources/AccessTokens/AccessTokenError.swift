/// A refused token: a closed code, and a message that is safe to send to the client.
///
/// No message ever contains the token or a part of it. Two errors are equal when their codes are.
package struct AccessTokenError: Error, Equatable, CustomStringConvertible {
    /// Why a token was refused; a closed set, so that it can be a metric label.
    package enum Code: String, Sendable, CaseIterable {
        case missing
        case malformed
        case badSignature
        case expired
        case notYetValid
        case wrongIssuer
        case wrongAudience
        case invalidSubject
        case unknownKey
        case developmentTokenRefused
    }

    /// What kind of refusal this is.
    package let code: Code
    /// One sentence for the client: what was wrong, and what is allowed.
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message, for logs.
    package var description: String { "\(code.rawValue): \(message)" }

    /// Compares the codes only; messages are for people.
    package static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
