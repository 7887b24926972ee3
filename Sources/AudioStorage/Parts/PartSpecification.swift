package import EarshotModel

/// Everything beside its frames that a part's bytes depend on; committed before the part is uploaded.
package struct PartSpecification: Sendable, Equatable {
    package var session: SessionID
    package var user: UserID
    package var conversation: String
    /// Number of the part in its session, from 0.
    package var part: UInt64
    package var codec: AudioCodec
    /// Samples a second of the device's audio.
    package var sampleRate: Int
    package var format: StoredAudioPart.Format
    package var isEncrypted: Bool
    /// Unix µs of the part's first sample; before its first frame where a short gap lies between it and the last part.
    package var start: Int64
    /// The last Opus packets before the part: a decoder that begins with them hears the part as the device meant it.
    package var leadIn: [[UInt8]]

    /// Makes a specification.
    package init(
        session: SessionID, user: UserID, conversation: String, part: UInt64, codec: AudioCodec, sampleRate: Int,
        format: StoredAudioPart.Format, isEncrypted: Bool, start: Int64, leadIn: [[UInt8]] = []
    ) {
        self.session = session
        self.user = user
        self.conversation = conversation
        self.part = part
        self.codec = codec
        self.sampleRate = sampleRate
        self.format = format
        self.isEncrypted = isEncrypted
        self.start = start
        self.leadIn = leadIn
    }

    /// The empty timeline of the part.
    package var timeline: PartTimeline {
        PartTimeline(start: start, sampleRate: sampleRate, granularity: codec.isOpus ? sampleRate / 400 : 1)
    }

    /// Tells the Ogg streams of a session's parts apart, so that the files may be put behind each other.
    var serial: UInt32 {
        UInt32(truncatingIfNeeded: session.value.low ^ (session.value.high << 7)) &+ UInt32(truncatingIfNeeded: part)
    }
}
