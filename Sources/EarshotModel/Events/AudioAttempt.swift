/// One request with a window of live audio, as it is written down; holds no secret.
package struct AudioAttempt: Codable, Equatable, Sendable {
    /// `webhook-id`: the window's, the same for each attempt.
    package var id: String
    package var endpoint: String
    /// The window's number in its session and endpoint.
    package var sequence: UInt64
    /// Unix µs at which it began.
    package var at: Int64
    package var milliseconds: Int64
    package var isDelivered: Bool
    /// `nil` when no answer came.
    package var status: Int?
    /// Why it is no success.
    package var error: String?
    /// The address it was sent to.
    package var remote: String?
    /// The first characters of the answer.
    package var response: String?
    /// How long the receiver asked to be left alone, in µs.
    package var pause: Int64?

    /// Makes an attempt without an answer.
    package init(id: String, endpoint: String, sequence: UInt64, at: Int64, milliseconds: Int64, isDelivered: Bool) {
        self.id = id
        self.endpoint = endpoint
        self.sequence = sequence
        self.at = at
        self.milliseconds = milliseconds
        self.isDelivered = isDelivered
    }

    private enum CodingKeys: String, CodingKey {
        case id
        case endpoint
        case sequence
        case at
        case milliseconds
        case isDelivered = "delivered"
        case status
        case error
        case remote
        case response
        case pause
    }
}
