import EarshotModel
import SessionRecord
import Testing

@testable import StorageWorkers

@Suite("Which speech becomes a sample")
struct SamplePlanTests {
    private let limits = SampleLimits()

    private func segment(
        _ number: UInt64, _ times: ClosedRange<Double>, speaker: Int = 0, session: String = "s1"
    ) -> PlacedSegment {
        var segment = TranscriptSegment(
            id: UniqueID(high: 0, low: number), text: "words \(number)", start: times.lowerBound,
            end: times.upperBound, sttProvider: nil)
        segment.speakerID = speaker
        return PlacedSegment(segment: segment, session: session, origin: 0)
    }

    private func plan(_ wanted: [UInt64], _ conversation: [PlacedSegment]) throws -> [PlacedSegment] {
        let request = SpeakerSampleRequest(
            user: try #require(UserID("alice")), conversation: "c", person: "p", personName: nil,
            segments: wanted.map { UniqueID(high: 0, low: $0).description }, at: 0)
        return try SamplePlan(request, conversation, limits).segments
    }

    private func refusal(
        _ wanted: [UInt64], _ conversation: [PlacedSegment]
    ) -> SpeakerSampleResult.Outcome? {
        do {
            _ = try plan(wanted, conversation)
            return nil
        } catch {
            return (error as? SampleRefusal)?.outcome
        }
    }

    @Test("Assigned segments are taken longest first, up to 30 s, in the order of time")
    func longest() throws {
        let conversation = [segment(1, 0...9), segment(2, 10...22), segment(3, 30...44), segment(4, 50...51)]
        #expect(try plan([1, 2, 3, 4], conversation) == [conversation[1], conversation[2], conversation[3]])
    }

    @Test("Too little assigned is filled up by the same speaker of the same session, and by nobody else")
    func filledUp() throws {
        let conversation = [
            segment(1, 0...4), segment(2, 5...12), segment(3, 13...20, speaker: 1),
            segment(4, 21...28, session: "s2"),
        ]
        #expect(try plan([1], conversation) == [conversation[0], conversation[1]])
        #expect(refusal([3], conversation) == .insufficientSpeech)
    }

    @Test("What overlaps with another speaker is not clean")
    func contaminated() throws {
        let clean = segment(1, 0...11)
        let shared = segment(2, 20...35)
        let other = segment(3, 30...31, speaker: 1)
        #expect(try plan([1, 2], [clean, shared, other]) == [clean])
        #expect(refusal([2], [shared, other]) == .contaminated)
    }

    @Test("Segments nobody assigned, and too short ones, are no sample")
    func refusals() {
        #expect(refusal([9], [segment(1, 0...20)]) == .noAuthorizedSegments)
        #expect(refusal([1], [segment(1, 0...9.9)]) == .insufficientSpeech)
        let crumbs = (0..<30).map { segment(UInt64($0), Double($0)...Double($0) + 0.9) }
        #expect(refusal(Array(0..<30), crumbs) == .insufficientSpeech)
    }

    @Test("No more than twelve clips")
    func clips() throws {
        let conversation = (0..<20).map { segment(UInt64($0), Double($0) * 3...Double($0) * 3 + 1.5) }
        #expect(try plan(Array(0..<20), conversation).count == 12)
        #expect(SamplePlan.pieces(segment(1, 0...28), limits).count == 3)
    }

    @Test("A segment that is too long to be taken whole gives clips of 1 to 10 s from its middle")
    func long() throws {
        for length in [31.0, 60, 299, 3_600] {
            let long = segment(1, 100...(100 + length))
            let short = segment(2, 10...14)
            let request = SpeakerSampleRequest(
                user: try #require(UserID("alice")), conversation: "c", person: "p", personName: nil,
                segments: [long, short].map(\.segment.id), at: 0)
            let plan = try SamplePlan(request, [long, short], limits)
            #expect(!plan.isWhole)
            #expect(plan.segments == [short, long])
            #expect(plan.clips.allSatisfy { limits.clip.contains($0.seconds) })
            #expect(limits.speech.contains(plan.clips.reduce(0) { $0 + $1.seconds }))
            let cut = plan.clips.dropFirst()
            for (one, next) in zip(cut, cut.dropFirst()) { #expect(abs(next.start - one.end) < 1e-6) }
            let middle = ((cut.first?.start ?? 0) + (cut.last?.end ?? 0)) / 2
            #expect(abs(middle - (100 + length / 2)) <= 5)
        }
        #expect(try plan([1], [segment(1, 0...30)]).count == 1)
    }

    @Test("A back end's speakers are those of the conversation, whatever connection they came by")
    func backend() throws {
        var conversation = [segment(1, 0...6), segment(2, 7...13, session: "s2"), segment(3, 14...20, speaker: 1)]
        #expect(refusal([1], conversation) == .insufficientSpeech)
        for index in conversation.indices { conversation[index].isBackend = true }
        #expect(try plan([1], conversation).map(\.session) == ["s1", "s2"])
    }

    @Test("Words are compared without case and punctuation, in their order")
    func words() {
        let said = SampleWords("It was the best of times, it was the worst of times.")
        #expect(said.likeness(to: SampleWords("it was THE best of times it was the worst of times")) == 1)
        #expect(said.likeness(to: SampleWords("it was the vest of times it was the first of times")) > 0.8)
        #expect(said.likeness(to: SampleWords("go forward ten meters")) == 0)
        #expect(said.likeness(to: SampleWords("")) == 0)
        let part = SampleWords("best of times it was")
        #expect(part.containment(in: said) == 1)
        #expect(part.likeness(to: said) < 0.7)
        #expect(SampleWords("go forward ten meters").containment(in: said) == 0)
        #expect(SampleWords("").containment(in: said) == 0)
    }
}
