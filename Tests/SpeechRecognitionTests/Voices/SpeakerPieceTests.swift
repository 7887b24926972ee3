import Testing

@testable import SpeechRecognition

@Suite("Pieces of an utterance")
struct SpeakerPieceTests {
    /// Voices by stretches of 100 (27,000 samples): each string one window, `.` for silence, `a`, `b` for a voice, `*`
    /// for both.
    private func voices(_ windows: String...) -> UtteranceVoices {
        let stretches = windows.map { window in
            window.flatMap { letter -> [UInt8] in
                let bits: UInt8 = letter == "a" ? 1 : letter == "b" ? 2 : letter == "*" ? 3 : 0
                return [UInt8](repeating: bits, count: 100)
            }
        }
        let turns = SpeakerTurns(windows: stretches)
        let solos = UtteranceVoices.solos(of: turns, in: [Float](repeating: 0, count: 320_000))
        return UtteranceVoices(turns: turns, voices: solos.map(\.voice))
    }

    private func pieces(_ voices: UtteranceVoices, _ numbers: [Int], count: Int) -> [SpeakerPiece] {
        let pieces = voices.pieces(numbers, sampleCount: count, speech: 1_000..<count - 1_000)
        #expect(pieces.first?.samples.lowerBound == 0)
        #expect(pieces.last?.samples.upperBound == count)
        for (left, right) in zip(pieces, pieces.dropFirst()) {
            #expect(left.samples.upperBound == right.samples.lowerBound)
        }
        return pieces
    }

    @Test("Two voices of one speaker are one piece with the voice activity's bounds")
    func oneSpeaker() {
        let found = pieces(voices("aabb"), [4, 4], count: 108_000)
        #expect(found == [SpeakerPiece(speaker: 4, samples: 0..<108_000, speech: 1_000..<107_000)])
    }

    @Test("A change divides, a pause in the middle of it")
    func change() {
        let found = pieces(voices("aa.b"), [0, 1], count: 108_000)
        #expect(found.map(\.speaker) == [0, 1])
        #expect(found.map(\.samples) == [0..<67_500, 67_500..<108_000])
        #expect(found.map(\.speech) == [1_000..<54_000, 81_000..<107_000])
    }

    @Test("Who speaks goes on while another joins in, and words thrown in do not divide")
    func overlap() {
        #expect(pieces(voices("aa*a"), [0, 1], count: 108_000).map(\.speaker) == [0])
        #expect(pieces(voices("aa*b"), [0, 1], count: 108_000).map(\.speech.upperBound) == [81_000, 107_000])
        var short = voices("aaaa")
        short.turns.windows[0].replaceSubrange(200..<220, with: [UInt8](repeating: 2, count: 20))
        short.voices.append(HeardVoice(window: 0, bit: 1, soloCount: 5_400, embedding: nil))
        #expect(pieces(short, [0, 1], count: 108_000).map(\.speaker) == [0])
    }

    @Test("The windows' numbers are their own: the same bit may be another speaker in the next")
    func windows() {
        let found = pieces(voices("aaaaaa", "abbbbb"), [0, 1, 0], count: 320_000)
        #expect(found.map(\.speaker) == [0, 1, 0])
        #expect(found[1].speech.lowerBound == 160_000)
    }

    @Test("Nobody told is one piece of the speaker given")
    func nobody() {
        #expect(pieces(voices("...."), [], count: 108_000).map(\.speaker) == [0])
    }

    @Test("What a voice says alone is collected, and not what is said over it")
    func solos() {
        let samples = (0..<135_000).map { Float($0) }
        let turns = voices("a*bab").turns
        let solos = UtteranceVoices.solos(of: turns, in: samples)
        #expect(solos.map(\.voice.soloCount) == [54_000, 54_000])
        #expect(solos[0].audio == Array(samples[0..<27_000] + samples[81_000..<108_000]))
        let long = UtteranceVoices.solos(of: SpeakerTurns(oneVoice: 320_000), in: [Float](repeating: 0, count: 320_000))
        #expect(long.count == 2, "one in each window")
        #expect(long.allSatisfy { $0.audio.count <= VoiceLimits.embeddingMax + 270 })
    }
}
