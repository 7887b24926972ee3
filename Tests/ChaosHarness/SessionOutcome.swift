/// What became of one session of a device.
struct SessionOutcome: Sendable {
    var device: Int
    /// Nil when there was no session: refused, or no connection.
    var session: String?
    var conversation: String?
    /// The ids of its segments, as the device has them.
    var segments: [String] = []
    /// Seconds of the run.
    var began: Double
    var ended: Double
    var sentMessages = 0
    /// Whether everything was sent, and the device closed it itself.
    var isWhole = false
    var closeCode: Int?
    /// Why there was no session.
    var failure: String?
    /// Seconds after which the server wants to be tried again.
    var retryAfter: Double?
    /// Segments as the device saw them, in order.
    var liveTexts: [String] = []
}
