import Testing

@testable import EarshotClient

@Suite("Device transcripts")
struct DeviceTranscriptTests {
    private func segment(_ id: String, _ text: String) -> WireSegment {
        WireSegment(id: id, text: text, start: nil, end: nil, isUser: nil, speaker: nil, personID: nil)
    }

    @Test("A repeated text is no new version, and what a message leaves out stays")
    func versions() {
        var transcript = DeviceTranscript()
        let first = WireSegment(id: "a", text: "x", start: 1, end: 2, isUser: true, speaker: "S", personID: "p")
        transcript.upsert([first], at: .seconds(1))
        transcript.upsert([segment("a", "x")], at: .seconds(2))
        transcript.upsert([segment("a", "xy")], at: .seconds(3))
        let segment = transcript["a"]
        #expect(segment?.versions.map(\.arrival) == [.seconds(1), .seconds(3)])
        #expect(segment?.end == 2 && segment?.isUser == true && segment?.personID == "p")
    }

    @Test("Positions are right after deletions in the middle")
    func deletions() {
        var transcript = DeviceTranscript()
        transcript.upsert(["a", "b", "c", "d"].map { segment($0, $0) }, at: .zero)
        transcript.delete(["b", "b", "d"])
        transcript.upsert([segment("c", "C"), segment("b", "B")], at: .seconds(1))
        #expect(transcript.text == "a C B")
        #expect(transcript.deletedCount == 2)
        #expect(transcript["d"] == nil)
    }

    @Test("Of too many versions the oldest and the latest are kept")
    func versionBound() {
        var transcript = DeviceTranscript()
        let count = DeviceClientLimits.versionsMax + 10
        for index in 0..<count { transcript.upsert([segment("a", "\(index)")], at: .seconds(index)) }
        let versions = transcript["a"]?.versions ?? []
        #expect(versions.count == DeviceClientLimits.versionsMax)
        #expect(versions.first?.text == "0")
        #expect(versions.last?.text == "\(count - 1)")
        #expect(transcript.text == "\(count - 1)")
    }

    @Test("Segments over the bound are counted, not kept")
    func segmentBound() {
        var transcript = DeviceTranscript()
        let segments = (0..<DeviceClientLimits.segmentsMax + 7).map { segment("\($0)", "x") }
        transcript.upsert(segments, at: .zero)
        #expect(transcript.segments.count == DeviceClientLimits.segmentsMax)
        #expect(transcript.droppedCount == 7)
    }
}
