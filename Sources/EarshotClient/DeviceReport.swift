/// What happened in a session.
///
/// All times count from the session's start, which is before it connects.
package struct DeviceReport: Sendable {
    /// How a session ended.
    package enum Outcome: Sendable, Equatable {
        /// Everything was sent, the results were waited for, and the device closed.
        case completed
        /// The connection ended before the device closed it; see `closeCode`.
        case endedByServer
        /// The server did not accept the first message's token.
        case notAuthenticated
        /// The server did not answer the token, or did not become ready, in time; nothing was sent.
        case notReady
    }

    /// How the session ended.
    package internal(set) var outcome = Outcome.endedByServer
    /// The segments, in order, with the arrival of every text they had.
    package internal(set) var transcript = DeviceTranscript()
    /// The events in the order they came, at most `DeviceClientLimits.eventsMax`.
    package internal(set) var events: [DeviceEvent] = []
    /// How many events came beyond those kept.
    package internal(set) var droppedEventCount = 0
    /// How many `ping` texts came.
    package internal(set) var pingCount = 0
    /// How many messages were neither a ping, nor segments, nor an event.
    package internal(set) var unreadableCount = 0
    /// The close code of the server; `nil` when it sent none.
    package internal(set) var closeCode: UInt16?
    /// The reason of the server, or what happened when it sent no close frame.
    package internal(set) var closeReason = ""
    /// How many audio messages were sent.
    package internal(set) var sentMessageCount = 0
    /// How many bytes of audio were sent, without WebSocket's own.
    package internal(set) var sentByteCount = 0
    /// How much audio was sent.
    package internal(set) var sentDuration = Duration.zero
    /// When the upgrade was accepted.
    package internal(set) var connectedAt = Duration.zero
    /// When all that the device waits for before it sends had come; `nil` when it did not come.
    package internal(set) var readyAt: Duration?
    /// When the audio began: the moment at which the first sample would have been recorded.
    package internal(set) var audioStartedAt: Duration?
    /// When the last audio message was sent.
    package internal(set) var audioEndedAt: Duration?
    /// The longest that a message was sent after it was due; large when the server held the device back.
    package internal(set) var latenessMax = Duration.zero
    /// When the connection was gone.
    package internal(set) var endedAt = Duration.zero
}
