import CoreMetrics

/// What a recogniser reports of itself.
struct RecognitionMetrics: Sendable {
    /// The closed set of `outcome` labels.
    enum Outcome: String, CaseIterable {
        case text
        case voice
        case empty
        case rejected
        case unavailable
        case superseded
        case cancelled
    }

    private let inference: [RecognitionPriority.Class: Timer]
    private let wait: [RecognitionPriority.Class: Timer]
    private let depth: [RecognitionPriority.Class: Gauge]
    private let outcomes: [RecognitionPriority.Class: [Outcome: Counter]]
    private let audio: [RecognitionPriority.Class: FloatingPointCounter]

    init() {
        var inference: [RecognitionPriority.Class: Timer] = [:]
        var wait: [RecognitionPriority.Class: Timer] = [:]
        var depth: [RecognitionPriority.Class: Gauge] = [:]
        var outcomes: [RecognitionPriority.Class: [Outcome: Counter]] = [:]
        var audio: [RecognitionPriority.Class: FloatingPointCounter] = [:]
        for (kind, name) in [(RecognitionPriority.Class.final, "final"), (.interim, "interim"), (.voice, "voice")] {
            let labels = [("priority", name)]
            inference[kind] = Timer(label: "stt.inference", dimensions: labels)
            wait[kind] = Timer(label: "stt.queue.wait", dimensions: labels)
            depth[kind] = Gauge(label: "stt.queue.depth", dimensions: labels)
            audio[kind] = FloatingPointCounter(label: "stt.audio.seconds", dimensions: labels)
            outcomes[kind] = Dictionary(
                uniqueKeysWithValues: Outcome.allCases.map {
                    ($0, Counter(label: "stt.requests", dimensions: labels + [("outcome", $0.rawValue)]))
                })
        }
        self.inference = inference
        self.wait = wait
        self.depth = depth
        self.outcomes = outcomes
        self.audio = audio
    }

    func queue(finals: Int, voices: Int, interims: Int) {
        depth[.final]?.record(finals)
        depth[.voice]?.record(voices)
        depth[.interim]?.record(interims)
    }

    func started(_ kind: RecognitionPriority.Class, waited: Duration) {
        wait[kind]?.recordNanoseconds(Self.nanoseconds(waited))
    }

    func ran(_ kind: RecognitionPriority.Class, for duration: Duration, sampleCount: Int) {
        inference[kind]?.recordNanoseconds(Self.nanoseconds(duration))
        audio[kind]?.increment(by: Double(sampleCount) / 16_000)
    }

    func ended(_ kind: RecognitionPriority.Class, _ result: RecognitionExchange.Answer) {
        outcomes[kind]?[Self.outcome(result)]?.increment()
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        Int64(duration / .nanoseconds(1))
    }

    private static func outcome(_ result: RecognitionExchange.Answer) -> Outcome {
        switch result {
        case .success(.text(let text)): return text.isEmpty ? .empty : .text
        case .success: return .voice
        case .failure(let error):
            switch error.code {
            case .rejectedInput: return .rejected
            case .superseded: return .superseded
            case .cancelled: return .cancelled
            default: return .unavailable
            }
        }
    }
}
