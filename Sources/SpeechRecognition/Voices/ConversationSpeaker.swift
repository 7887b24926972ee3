/// One speaker of a conversation: the mean of what was heard, in the precision in which it is stored.
///
/// Computing with the stored form makes a successor decide exactly as the worker before it would have.
package struct ConversationSpeaker: Sendable, Equatable {
    /// The mean direction; its length means nothing.
    private var direction: [Int8]
    /// Voiced audio behind it, in tenths of a second, up to `VoiceLimits.weightMaximum`.
    private var weight: Int
    /// Which person the device was last told, as `mark(of:)` says it; 0 for none.
    var suggestion: UInt32 = 0

    init(_ embedding: [Float], sampleCount: Int) {
        direction = Self.quantised(embedding)
        weight = Self.weight(of: sampleCount)
    }

    /// Whether enough was heard to say who it is.
    package var isEvident: Bool { weight >= Self.weight(of: VoiceLimits.evidence) }

    /// Whether the device was told that it is this person.
    package func wasSuggested(_ person: String) -> Bool { suggestion == Self.mark(of: person) }

    /// The cosine similarity with an embedding of length 1; -1 for one of another size.
    package func likeness(to embedding: [Float]) -> Float {
        VoiceThresholds.likeness(unit, embedding)
    }

    /// Moves the mean towards an embedding by its share of the audio.
    mutating func learn(_ embedding: [Float], sampleCount: Int) {
        guard embedding.count == direction.count else { return }
        let share = Self.weight(of: sampleCount)
        let mean = zip(unit, embedding).map { ($0 * Float(weight) + $1 * Float(share)) }
        direction = Self.quantised(mean)
        weight = min(weight + share, VoiceLimits.weightMaximum)
    }

    /// Never 0, and the same for the same person: FNV-1a of the id's bytes.
    static func mark(of person: String) -> UInt32 {
        max(1, person.utf8.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 })
    }

    private var unit: [Float] {
        let length = direction.reduce(0) { $0 + Float($1) * Float($1) }.squareRoot()
        return direction.map { Float($0) / max(length, 1) }
    }

    private static func weight(of sampleCount: Int) -> Int {
        min(sampleCount / 1_600, VoiceLimits.weightMaximum)
    }

    private static func quantised(_ numbers: [Float]) -> [Int8] {
        let largest = numbers.reduce(0) { max($0, abs($1)) }
        guard largest > 0 else { return numbers.map { _ in 0 } }
        return numbers.map { Int8(($0 / largest * 127).rounded()) }
    }

    // MARK: Stored form

    var encoded: [UInt8] {
        let head = [UInt32(direction.count) << 16 | UInt32(weight), suggestion].flatMap { word in
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
        }
        return head + direction.map { UInt8(bitPattern: $0) }
    }

    init?(decoding bytes: inout ArraySlice<UInt8>) {
        guard bytes.count >= 8 else { return nil }
        let words = stride(from: bytes.startIndex, to: bytes.startIndex + 8, by: 4).map { start in
            bytes[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        bytes.removeFirst(8)
        let count = Int(words[0] >> 16)
        guard count <= VoiceLimits.dimensionsMaximum, bytes.count >= count else { return nil }
        direction = bytes.prefix(count).map { Int8(bitPattern: $0) }
        bytes.removeFirst(count)
        weight = min(Int(words[0] & 0xFFFF), VoiceLimits.weightMaximum)
        suggestion = words[1]
    }
}
