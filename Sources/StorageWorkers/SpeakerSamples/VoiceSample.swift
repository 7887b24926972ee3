import SpeechRecognition

/// The voice in some clips: which part of them is one speaker, and how that speaker sounds.
struct VoiceSample {
    /// The share of the clips that is the speaker heard most.
    let dominance: Double
    /// The mean of that speaker's windows, of length 1.
    let embedding: [Float]

    /// Compares windows.
    init(_ windows: [(embedding: [Float], sampleCount: Int)], _ thresholds: VoiceThresholds) {
        var clusters = SpeakerClusters()
        let heard = windows.enumerated().map { index, window in
            // Every window is evidence of its own.
            HeardVoice(
                window: index, bit: 0, soloCount: max(window.sampleCount, VoiceLimits.evidence),
                embedding: window.embedding)
        }
        let numbers = clusters.assign(heard, thresholds)
        var shares: [Int: Int] = [:]
        for (number, window) in zip(numbers, windows) { shares[number, default: 0] += window.sampleCount }
        let most = shares.max { ($0.value, -$0.key) < ($1.value, -$1.key) }
        dominance = Double(most?.value ?? 0) / Double(max(windows.reduce(0) { $0 + $1.sampleCount }, 1))
        let chosen = zip(numbers, windows).filter { $0.0 == most?.key }.map(\.1.embedding)
        let sum = (chosen.first ?? []).indices.map { index in chosen.reduce(0) { $0 + $1[index] } }
        let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        embedding = length > 0 ? sum.map { $0 / length } : []
    }
}
