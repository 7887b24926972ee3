import EarshotModel
import SessionRecord
import Synchronization

/// A record whose database takes a batch and never answers; only a cancellation ends the wait.
final class HangingRecord: SessionRecord {
    private let hanging = Mutex(false)
    private let nothing = InMemorySessionRecord()

    /// Whether somebody waits.
    var isHanging: Bool { hanging.withLock { $0 } }

    func write(_ events: [SessionEvent]) async throws(SessionRecordError) {
        hanging.withLock { $0 = true }
        let (stream, _) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        for await _ in stream {}
        throw SessionRecordError(.unavailable, "the wait was cancelled")
    }

    func sessions(
        activeOnly: Bool, user: String?, before place: SessionPlace?, limit: Int
    ) async throws(SessionRecordError) -> [RecordedSession] {
        try await nothing.sessions(activeOnly: activeOnly, user: user, before: place, limit: limit)
    }
    func session(_ id: String) async throws(SessionRecordError) -> RecordedSession? { try await nothing.session(id) }
    func segments(ofSession id: String) async throws(SessionRecordError) -> [TranscriptSegment] { [] }
    func segments(ofConversation id: String, user: String) async throws(SessionRecordError) -> [TranscriptSegment] {
        []
    }
    func audioParts(ofSession id: String) async throws(SessionRecordError) -> [RecordedAudioPart] { [] }
    func audioParts(
        ofConversation id: String, user: String?
    ) async throws(SessionRecordError) -> [RecordedAudioPart] { [] }
    func usage(of user: String) async throws(SessionRecordError) -> [DailyUsage] { [] }
}
