/// A session as the record shows it; times are Unix µs.
package struct RecordedSession: Equatable, Sendable {
    package var id: String
    package var uid: String
    package var conversation: String
    package var codec: String?
    package var sampleRate: Int?
    package var language: String?
    package var source: String?
    package var gateway: String?
    package var startedAt: Int64?
    /// `nil` while it is live.
    package var endedAt: Int64?
    package var endReason: String?
    package var audioSeconds: Double?
}
