import ChaosHarness
import EarshotModel
import Testing

@Suite struct WebhookArrivalsTests {
    private let id = SessionID.new(at: 1_000_000)
    private let types: Set<SessionEvent.Kind> = [
        .sessionStarted, .sessionEnded, .transcriptSegments, .audioStored, .conversationCompleted,
    ]

    private func event(_ type: SessionEvent.Kind, _ change: (inout SessionEvent) -> Void = { _ in }) -> SessionEvent {
        var event = SessionEvent(
            type: type, group: "test", uid: "alice", session: id, conversation: "c", time: 0, ordinal: 0)
        change(&event)
        return event
    }

    private var said: SessionEvent {
        event(.transcriptSegments) {
            $0.segments = [.init(id: UniqueID.timeOrdered(at: 1), text: "Yes.", start: 0, end: 1, sttProvider: nil)]
        }
    }

    @Test("A session that was heard and had messages owes every type, its conversation the completion")
    func whole() {
        let session = id.description
        let expected = WebhookArrivals.expected(
            [event(.sessionStarted), said, event(.sessionEnded) { $0.frames = 3 }], types: types)
        #expect(
            expected == [
                .init(.sessionStarted, session: session), .init(.sessionEnded, session: session),
                .init(.transcriptSegments, session: session), .init(.audioStored, session: session),
                .init(.conversationCompleted, conversation: "c", of: "alice"),
            ])
    }

    @Test("Start and end are owed even where no other event tells them; text and audio only where there were some")
    func empty() {
        let session = id.description
        let both: Set<WebhookArrivals.Arrival> = [
            .init(.sessionStarted, session: session), .init(.sessionEnded, session: session),
        ]
        #expect(WebhookArrivals.expected([], sessions: [session], types: types) == both)
        let ends = [event(.sessionEnded) { $0.frames = 0 }, event(.transcriptSegments) { $0.segments = [] }]
        #expect(WebhookArrivals.expected(ends, types: types).isEmpty)
    }

    @Test("What an endpoint did not ask for is not owed")
    func unasked() {
        let expected = WebhookArrivals.expected([event(.sessionStarted)], types: [.sessionEnded])
        #expect(expected == [.init(.sessionEnded, session: id.description)])
    }
}
