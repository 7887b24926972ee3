/// One stored part of a session's audio, as `audio.stored` names it; an object counts once such an event does.
package struct StoredAudioPart: Codable, Equatable, Sendable {
    /// How the object's bytes are laid out; the suffixes of its key say the same.
    package enum Format: String, Codable, Sendable, CaseIterable {
        /// A playable Ogg Opus file (RFC 7845).
        case ogg
        /// Raw PCM16, little-endian, mono: `.batch.bin` of the `omi` layout.
        case omi
    }

    /// Number of the part in its session, from 0.
    package var part: UInt64
    /// Numbers of the first and of the last frame it holds.
    package var firstSequence: UInt64
    package var lastSequence: UInt64
    /// The object's key in the store.
    package var object: String
    package var format: Format
    /// Whether the object is encrypted with its user's key (`enhanced`).
    package var isEncrypted: Bool
    /// Length of the object, and the SHA-256 of its bytes in hexadecimal.
    package var bytes: Int
    package var sha256: String
    /// Samples a second of the audio in it.
    package var sampleRate: Int
    /// Unix µs at which its first sample was captured, and right behind its last.
    package var captureStart: Int64
    package var captureEnd: Int64
    /// Seconds of audio in it, silence that fills gaps included.
    package var seconds: Double

    /// Makes a description.
    package init(
        part: UInt64, firstSequence: UInt64, lastSequence: UInt64, object: String, format: Format, isEncrypted: Bool,
        bytes: Int, sha256: String, sampleRate: Int, captureStart: Int64, captureEnd: Int64, seconds: Double
    ) {
        self.part = part
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.object = object
        self.format = format
        self.isEncrypted = isEncrypted
        self.bytes = bytes
        self.sha256 = sha256
        self.sampleRate = sampleRate
        self.captureStart = captureStart
        self.captureEnd = captureEnd
        self.seconds = seconds
    }

    private enum CodingKeys: String, CodingKey {
        case part
        case firstSequence = "first_sequence"
        case lastSequence = "last_sequence"
        case object
        case format
        case isEncrypted = "encrypted"
        case bytes
        case sha256
        case sampleRate = "sample_rate"
        case captureStart = "capture_start"
        case captureEnd = "capture_end"
        case seconds
    }
}
