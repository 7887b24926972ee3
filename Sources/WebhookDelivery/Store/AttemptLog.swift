/// What is remembered of one attempt; holds no secret.
package struct AttemptLog: Equatable, Sendable {
    /// Unix µs at which it began.
    package var at: Int64
    package var milliseconds: Int64
    /// `nil` when no answer came.
    package var status: Int?
    /// Why it is no success.
    package var error: String?
    /// The address it was sent to.
    package var remote: String?
    /// The first characters of the answer.
    package var response: String?

    /// Makes an entry of the log.
    package init(
        at: Int64, milliseconds: Int64, status: Int? = nil, error: String? = nil, remote: String? = nil,
        response: String? = nil
    ) {
        self.at = at
        self.milliseconds = milliseconds
        self.status = status
        self.error = error
        self.remote = remote
        self.response = response
    }
}
