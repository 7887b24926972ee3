/// From which likeness on two embeddings of an engine are one voice; likeness is cosine similarity, -1…1.
package struct VoiceThresholds: Sendable, Equatable {
    /// Above it two are the same voice.
    package var same: Float
    /// Below it they are different voices; between the two nothing is known.
    package var different: Float
    /// Below it a voice is a further speaker of a conversation.
    ///
    /// Within a conversation one microphone hears everybody, so that it is nearer to `same` than `different` is.
    package var further: Float

    /// As measured for the embedded engine (docs/speech.md).
    package static let embedded = VoiceThresholds(same: 0.45, different: 0.30, further: 0.38)
    /// A remote service: a cosine distance below 0.45 is the same voice (omi.md section 6).
    package static let remote = VoiceThresholds(same: 0.55, different: 0.55, further: 0.55)

    /// The likeness of two embeddings of length 1; of different sizes they are as unlike as can be: distance 2.0.
    package static func likeness(_ left: [Float], _ right: [Float]) -> Float {
        guard left.count == right.count else { return -1 }
        return zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
