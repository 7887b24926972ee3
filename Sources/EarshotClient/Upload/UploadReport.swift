/// What happened in an upload.
package struct UploadReport: Sendable {
    /// How it ended; `nil` while it runs.
    package internal(set) var outcome: UploadOutcome?
    /// The sessions of the chain, oldest first, at most `UploadLimits.sessionsMax`.
    package internal(set) var sessions: [String] = []
    /// How many sessions there were.
    package internal(set) var sessionCount = 0
    /// The conversation of the last session.
    package internal(set) var conversation: String?
    /// Messages the source gave.
    package internal(set) var messageCount: UInt64 = 0
    /// How much audio the source gave, as far as it says.
    package internal(set) var duration = Duration.zero
    /// Messages that were sent, repetitions included.
    package internal(set) var transmissionCount: UInt64 = 0
    /// Messages that are acknowledged.
    package internal(set) var acknowledgedCount: UInt64 = 0
    /// What the last acknowledgement promised.
    package internal(set) var durability: UploadDurability?
    /// Connections that were upgraded.
    package internal(set) var connectionCount = 0
    /// Messages of the server that made no sense.
    package internal(set) var unreadableCount = 0
    /// The segments, in order, with the arrival of every text they had.
    package internal(set) var transcript = DeviceTranscript()
    /// The code of the last connection's close, if the server sent one.
    package internal(set) var closeCode: UInt16?
    /// Its reason, or what happened.
    package internal(set) var closeReason = ""

    /// Connections after the first.
    package var reconnectCount: Int { max(0, connectionCount - 1) }

    mutating func add(_ opened: UploadMessage.Opened) {
        conversation = opened.conversation
        sessionCount += 1
        if sessions.count < UploadLimits.sessionsMax { sessions.append(opened.session) }
    }
}
