/// Why something about webhooks was not done; the message names what was wrong and what is allowed, never a secret.
package struct WebhookError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The closed set of causes.
    package enum Code: String, Sendable {
        /// A signing key that is none, or too short or too long.
        case invalidKey
        /// A setting of an endpoint is not allowed.
        case invalidEndpoint
        /// There is no such endpoint, delivery or replay.
        case notFound
        /// What was asked for does not fit the state it is in.
        case conflict
        /// The database is away or overloaded; try again.
        case unavailable
        /// The database refuses this content; trying again will not help.
        case refused
    }

    package let code: Code
    package let message: String

    /// Makes an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Code and message.
    package var description: String { message }
}
