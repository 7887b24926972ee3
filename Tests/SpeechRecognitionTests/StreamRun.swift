import SpeechRecognition

/// A stream run the way a lane runs it: one segmenter after the other, from restart point to restart point.
struct StreamRun {
    /// One utterance at its place in the whole stream.
    struct Heard: Equatable {
        let start: Int
        let utterance: Utterance
    }

    private(set) var heard: [Heard] = []
    /// Where each segmenter after the first began.
    private(set) var restarts: [Int] = []
    /// Which of those followed 5 s of silence.
    private(set) var quietCount = 0

    // A segmenter begins at a boundary of packets of length `packet`; `chunk` gives the length of each piece fed.
    init(
        _ samples: [Float], from start: Int = 0, model: any VoiceActivityModel, packet: Int = 320,
        policy: SegmentationPolicy = .standard, chunk: () -> Int = { 4_000 }
    ) throws {
        var base = start
        while true {
            var segmenter = SpeechSegmenter(model, policy: policy)
            guard let outcome = try Self.feed(&segmenter, samples[base...], chunk) else {
                if let last = try segmenter.finish() { heard.append(Heard(start: base + last.start, utterance: last)) }
                return
            }
            let restart: Int
            switch outcome {
            case .utterance(let utterance, let position):
                heard.append(Heard(start: base + utterance.start, utterance: utterance))
                restart = position
            case .quiet(let position):
                quietCount += 1
                restart = position
            }
            guard restart <= segmenter.position else { throw Broken(reason: "a restart after what was consumed") }
            let next = (base + restart) / packet * packet
            guard next > base else { throw Broken(reason: "no progress at \(base)") }
            base = next
            restarts.append(base)
        }
    }

    struct Broken: Error {
        let reason: String
    }

    private static func feed(
        _ segmenter: inout SpeechSegmenter, _ samples: ArraySlice<Float>, _ chunk: () -> Int
    ) throws -> SpeechSegmenter.Outcome? {
        var rest = samples
        while !rest.isEmpty {
            let piece = rest.prefix(chunk())
            if let outcome = try segmenter.feed(piece) { return outcome }
            rest = rest.dropFirst(piece.count)
        }
        return nil
    }
}

/// Numbers that are the same on every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        // Steele and Vigna's splitmix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
