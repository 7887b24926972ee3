import EarshotModel
import Foundation
import Testing
import WebhookDelivery

@Suite struct OmiConversationTests {
    @Test("Segments of a created conversation name their speakers: known voices, the device's owner, and the others")
    func speakerNames() throws {
        let time: Int64 = 1_795_251_800_000_000
        func segment(_ number: Int, _ change: (inout TranscriptSegment) -> Void) -> TranscriptSegment {
            var segment = TranscriptSegment(
                id: UniqueID(high: 1, low: UInt64(number)), text: "words", start: 0, end: 1, sttProvider: nil)
            segment.speakerID = number
            change(&segment)
            return segment
        }
        var conversation = ConversationSnapshot(id: "c1", uid: "alice", startedAt: time, finishedAt: time)
        conversation.personNames = ["p1": "Bob \"the\" Builder"]
        conversation.segments = [
            segment(0) { $0.isUser = true }, segment(1) { $0.personID = "p1" }, segment(2) { $0.personID = "gone" },
            segment(3) { _ in },
        ]
        let completion = SessionEvent(
            type: .conversationCompleted, group: "coordinator", uid: "alice", session: .new(at: time),
            conversation: "c1", time: time, ordinal: 0)
        struct Body: Decodable {
            struct Segment: Decodable {
                let text: String
                let speakerName: String
            }
            let transcriptSegments: [Segment]
        }
        let text = try #require(WebhookBody(DeliveryLimits()).body(of: completion, conversation, in: .omi))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let body = try decoder.decode(Body.self, from: Data(text.utf8))
        #expect(
            body.transcriptSegments.map(\.speakerName) == ["User", "Bob \"the\" Builder", "Speaker 2", "Speaker 3"])
        #expect(body.transcriptSegments.allSatisfy { $0.text == "words" })
        let standard = try #require(WebhookBody(DeliveryLimits()).body(of: completion, conversation, in: .standard))
        #expect(!standard.contains("speaker_name"))
    }
}
