package import EarshotModel
import Synchronization

/// Voices in memory, for tests of the worker that learns them.
package final class InMemoryVoiceRecord: VoiceRecord {
    private struct State {
        var isAvailable = true
        var conversations: [String: (user: UserID, segments: [PlacedSegment])] = [:]
        var voices: [String: TaughtVoice] = [:]
    }

    private let state = Mutex(State())

    /// An empty record.
    package init() {}

    /// Makes every operation fail as if the database were away, or work again.
    package func setAvailable(_ isAvailable: Bool) { state.withLock { $0.isAvailable = isAvailable } }

    /// Adds a conversation.
    package func add(_ id: String, of user: UserID, _ segments: [PlacedSegment]) {
        state.withLock { $0.conversations[id] = (user, segments) }
    }

    private func perform<Value: Sendable>(
        _ body: (inout State) -> Value
    ) throws(SessionRecordError) -> Value {
        try state.withLock { state throws(SessionRecordError) in
            guard state.isAvailable else { throw SessionRecordError(.unavailable, "switched off") }
            return body(&state)
        }
    }

    package func segments(
        ofConversation id: String, user: UserID
    ) async throws(SessionRecordError) -> [PlacedSegment]? {
        try perform { state in
            guard let found = state.conversations[id], found.user == user else { return nil }
            return found.segments.sorted { $0.segment.start < $1.segment.start }
        }
    }

    package func voice(of person: String, user: UserID) async throws(SessionRecordError) -> TaughtVoice? {
        try perform { $0.voices["\(user)/\(person)"] }
    }

    package func voices(of user: UserID, limit: Int) async throws(SessionRecordError) -> [TaughtVoice] {
        try perform { state in
            let found = state.voices.values.filter { $0.uid == user.text }
            return Array(found.sorted { $0.voice.person < $1.voice.person }.prefix(limit))
        }
    }

    package func keep(_ voice: TaughtVoice) async throws(SessionRecordError) {
        try perform { state in
            let key = "\(voice.uid)/\(voice.voice.person)"
            guard (state.voices[key]?.requestedAt ?? .min) <= voice.requestedAt else { return }
            state.voices[key] = voice
        }
    }
}
