import EarshotModel
import Testing

@testable import SpeechRecognition

@Suite("The speakers of a conversation")
struct SpeakerClustersTests {
    private let thresholds = VoiceThresholds.embedded

    /// A direction near axis `axis`, whose likeness to that axis is `likeness`, turned towards `other`.
    private func direction(_ axis: Int, likeness: Float = 1, towards other: Int = 31) -> [Float] {
        var numbers = [Float](repeating: 0, count: 32)
        numbers[axis] = likeness
        numbers[other] += (1 - likeness * likeness).squareRoot()
        return numbers
    }

    private func voice(
        _ embedding: [Float]?, seconds: Double = 3, window: Int = 0, bit: UInt8 = 0
    ) -> HeardVoice {
        HeardVoice(window: window, bit: bit, soloCount: Int(seconds * 16_000), embedding: embedding)
    }

    @Test("A voice more alike than the threshold is the same speaker, less alike than the other a further one")
    func thresholds_() {
        var clusters = SpeakerClusters()
        #expect(clusters.assign([voice(direction(0))], thresholds) == [0])
        #expect(clusters.assign([voice(direction(0, likeness: 0.6))], thresholds) == [0])
        #expect(clusters.assign([voice(direction(5))], thresholds) == [1])
        #expect(clusters.assign([voice(direction(0))], thresholds) == [0])
        #expect(clusters.last == 0)
    }

    @Test("In between it is the speaker most alike, whose mean stays where it was")
    func between() {
        var clusters = SpeakerClusters()
        _ = clusters.assign([voice(direction(0))], thresholds)
        let before = clusters.speakers
        #expect(clusters.assign([voice(direction(0, likeness: 0.42, towards: 7))], thresholds) == [0])
        #expect(clusters.speakers == before)
    }

    @Test("Another session of the conversation goes on with the speakers, and its device was told of nobody")
    func continued() {
        var clusters = SpeakerClusters()
        _ = clusters.assign([voice(direction(0))], thresholds)
        _ = clusters.assign([voice(direction(5))], thresholds)
        clusters.suggested("bob", for: 1)
        var next = SpeakerClusters(decoding: clusters.encoded).continued
        #expect(clusters.speakers[1].wasSuggested("bob"))
        #expect(!next.speakers[1].wasSuggested("bob"))
        #expect(next.assign([voice(nil, seconds: 0.2)], thresholds) == [1], "too short to tell: who spoke last")
        #expect(next.assign([voice(direction(5))], thresholds) == [1])
        #expect(next.assign([voice(direction(0))], thresholds) == [0])
        #expect(next.assign([voice(direction(9))], thresholds) == [2])
    }

    @Test("Less than 2 s make no further speaker: they are the one most alike")
    func shortUtterances() {
        var clusters = SpeakerClusters()
        _ = clusters.assign([voice(direction(0))], thresholds)
        _ = clusters.assign([voice(direction(1))], thresholds)
        #expect(clusters.assign([voice(direction(0, likeness: 0.3, towards: 9), seconds: 1.9)], thresholds) == [0])
        #expect(clusters.assign([voice(direction(1, likeness: 0.3, towards: 9), seconds: 1)], thresholds) == [1])
        #expect(clusters.speakers.count == 2)
        #expect(clusters.assign([voice(nil, seconds: 0.2)], thresholds) == [1], "too short to tell: who spoke last")
    }

    @Test("The first speaker may be heard in short utterances; 2 s of another are another")
    func shortBeginning() {
        var clusters = SpeakerClusters()
        #expect(clusters.assign([voice(nil, seconds: 0.2)], thresholds) == [0])
        #expect(clusters.assign([voice(direction(3), seconds: 1)], thresholds) == [0])
        #expect(clusters.speakers.map(\.isEvident) == [false])
        #expect(clusters.assign([voice(direction(3, likeness: 0.32), seconds: 1)], thresholds) == [0])
        #expect(clusters.speakers.map(\.isEvident) == [true])
        #expect(clusters.assign([voice(direction(9), seconds: 2)], thresholds) == [1])
    }

    @Test(
        "What the turn model tells apart stays apart in its window, with 1 s if it is clearly unlike, else with 2 s",
        arguments: [(0.42, 2.2, 1), (0.42, 1.2, 0), (0.3, 1.2, 1), (0.3, 0.8, 0), (0.5, 3, 0)])
    func beside(likeness: Double, seconds: Double, number: Int) {
        var clusters = SpeakerClusters()
        let alike = direction(0, likeness: Float(likeness), towards: 7)
        let numbers = clusters.assign(
            [voice(direction(0)), voice(alike, seconds: seconds, bit: 1), voice(direction(0), bit: 2)], thresholds)
        #expect(numbers == [0, number, 0])
    }

    @Test("Too little to be another speaker is whoever is most alike, told apart or not")
    func besideOthers() {
        var clusters = SpeakerClusters()
        _ = clusters.assign([voice(direction(0))], thresholds)
        _ = clusters.assign([voice(direction(1))], thresholds)
        let alike = direction(0, likeness: 0.42, towards: 7)
        #expect(clusters.assign([voice(direction(0)), voice(alike, seconds: 1.2, bit: 1)], thresholds) == [0, 0])
    }

    @Test("No more speakers than the bound: whoever comes later is the one most alike")
    func bound() {
        var clusters = SpeakerClusters()
        for axis in 0..<8 { #expect(clusters.assign([voice(direction(axis))], thresholds) == [axis]) }
        #expect(clusters.assign([voice(direction(20, likeness: 0.98, towards: 6))], thresholds) == [6])
        #expect(clusters.speakers.count == 8)
    }

    @Test("Embeddings of another size are nobody known, and no crash")
    func sizes() {
        var clusters = SpeakerClusters()
        _ = clusters.assign([voice(direction(0))], thresholds)
        #expect(clusters.assign([voice([1, 0, 0])], thresholds) == [1])
        #expect(VoiceThresholds.likeness([1], [1, 0]) == -1)
    }

    @Test("The state survives its bytes and is small; bytes of something else are an empty conversation")
    func encoding() {
        var clusters = SpeakerClusters()
        #expect(clusters.encoded.isEmpty)
        for axis in 0..<8 {
            _ = clusters.assign([voice((0..<256).map { $0 == axis ? 0.8 : 0.0375 }, seconds: 100)], thresholds)
        }
        clusters.suggested("user", for: 0)
        #expect(SpeakerClusters(decoding: clusters.encoded) == clusters)
        #expect(clusters.encoded.count <= 2_200)
        for length in 0..<clusters.encoded.count {
            #expect(SpeakerClusters(decoding: clusters.encoded.prefix(length)) == SpeakerClusters())
        }
        #expect(SpeakerClusters(decoding: [9] + clusters.encoded.dropFirst()) == SpeakerClusters())
    }

    @Test("A speaker is whom the user taught, with 2 s of evidence, by the same engine, and alike enough")
    func known() throws {
        func matcher(_ voices: [KnownVoice]) -> VoiceMatcher {
            VoiceMatcher(voices, engine: "test", thresholds: thresholds)
        }
        let anna = KnownVoice(person: "anna", name: "Anna", embedding: direction(0), engine: "test")
        let near = KnownVoice(
            person: "near", name: "Near", embedding: direction(0, likeness: 0.5, towards: 2), engine: "test")
        let far = KnownVoice(person: "far", name: "Far", embedding: direction(4), engine: "test")
        let foreign = KnownVoice(person: "foreign", name: "F", embedding: direction(0), engine: "other")
        let speaker = ConversationSpeaker(direction(0), sampleCount: 32_000)
        #expect(matcher([near, anna, far]).voice(of: speaker) == anna)
        #expect(matcher([near, far]).voice(of: speaker) == near)
        #expect(matcher([far, foreign]).voice(of: speaker) == nil)
        #expect(matcher([anna]).voice(of: ConversationSpeaker(direction(0), sampleCount: 31_000)) == nil)
        #expect(matcher([]).voice(of: speaker) == nil)
    }
}
