/// One request with a window of live audio, as the log has it.
package struct LoggedAudioAttempt: Equatable, Sendable {
    /// `webhook-id`.
    package var window: String
    package var session: String
    package var uid: String
    /// The window's number in its session and endpoint.
    package var sequence: Int64
    package var log: AttemptLog
}
