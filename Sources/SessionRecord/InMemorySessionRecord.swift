package import EarshotModel
import Synchronization

/// The record in memory, for tests of roles.
package final class InMemorySessionRecord: SessionRecord {
    private struct State {
        var isAvailable = true
        var sessions: [String: RecordedSession] = [:]
        /// By user and id: what a back end names is its user's own.
        var segments: [String: Row] = [:]
        var audioParts: [RecordedAudioPart] = []
        /// The newest total by session and day.
        var usage: [String: SessionEvent] = [:]
    }

    private struct Row {
        let uid: String
        let session: String
        let conversation: String
        let ordinal: UInt64
        let revision: UInt64
        let segment: TranscriptSegment
    }

    private let state = Mutex(State())

    /// An empty record.
    package init() {}

    /// Makes every operation fail as if the database were away, or work again.
    package func setAvailable(_ isAvailable: Bool) { state.withLock { $0.isAvailable = isAvailable } }

    private func perform<Value: Sendable>(
        _ body: (inout State) -> Value
    ) throws(SessionRecordError) -> Value {
        try state.withLock { state throws(SessionRecordError) in
            guard state.isAvailable else { throw SessionRecordError(.unavailable, "switched off") }
            return body(&state)
        }
    }

    package func write(_ events: [SessionEvent]) async throws(SessionRecordError) {
        try perform { state in
            for event in events { Self.apply(event, to: &state) }
        }
    }

    private static func apply(_ event: SessionEvent, to state: inout State) {
        var session =
            state.sessions[event.session]
            ?? RecordedSession(id: event.session, uid: event.uid, conversation: event.conversation)
        switch event.type {
        case .sessionStarted:
            session.codec = event.codec
            session.sampleRate = event.sampleRate
            session.language = event.language
            session.source = event.source
            session.gateway = event.gateway
            session.startedAt = event.time
        case .sessionEnded:
            guard session.endedAt == nil else { return }
            session.endedAt = event.time
            session.endReason = event.reason
            session.audioSeconds = event.audioSeconds
        case .transcriptSegments:
            for (index, segment) in (event.segments ?? []).enumerated() {
                let name = "\(event.uid)/\(segment.id)"
                if let known = state.segments[name], known.revision >= event.ordinal { continue }
                state.segments[name] = Row(
                    uid: event.uid, session: event.session, conversation: event.conversation,
                    ordinal: (event.firstSegment ?? 0) + UInt64(index), revision: event.ordinal, segment: segment)
            }
            return
        case .audioStored:
            guard let audio = event.audio else { return }
            let isKnown = state.audioParts.contains { $0.session == event.session && $0.audio.part == audio.part }
            guard !isKnown else { return }
            state.audioParts.append(
                RecordedAudioPart(
                    session: event.session, conversation: event.conversation, uid: event.uid, audio: audio))
            return
        case .sessionUsage:
            guard let usage = event.usage else { return }
            let key = "\(event.session)/\(usage.day)"
            if let known = state.usage[key], known.ordinal >= event.ordinal { return }
            state.usage[key] = event
            return
        case .conversationCompleted, .conversationUpdated, .speakerSampleStored, .speakerSampleRejected,
            .endpointDisabled, .endpointAttempts:
            return
        }
        state.sessions[event.session] = session
    }

    package func sessions(
        activeOnly: Bool, user: String?, before place: SessionPlace?, limit: Int
    ) async throws(SessionRecordError) -> [RecordedSession] {
        try perform { state in
            let found = state.sessions.values.filter { session in
                (!activeOnly || session.endedAt == nil) && (user == nil || session.uid == user)
                    && (place.map { Self.isListed($0, before: SessionPlace(session)) } ?? true)
            }
            let sorted = found.sorted { Self.isListed(SessionPlace($0), before: SessionPlace($1)) }
            return Array(sorted.prefix(limit))
        }
    }

    private static func isListed(_ first: SessionPlace, before second: SessionPlace) -> Bool {
        (first.startedAt ?? .max, second.id) > (second.startedAt ?? .max, first.id)
    }

    package func session(_ id: String) async throws(SessionRecordError) -> RecordedSession? {
        try perform { $0.sessions[id] }
    }

    package func segments(ofSession id: String) async throws(SessionRecordError) -> [TranscriptSegment] {
        try perform { state in
            state.segments.values.filter { $0.session == id }.sorted { $0.ordinal < $1.ordinal }.map(\.segment)
        }
    }

    package func audioParts(ofSession id: String) async throws(SessionRecordError) -> [RecordedAudioPart] {
        try perform { state in
            state.audioParts.filter { $0.session == id }.sorted { $0.audio.part < $1.audio.part }
        }
    }

    package func audioParts(
        ofConversation id: String, user: String?
    ) async throws(SessionRecordError) -> [RecordedAudioPart] {
        try perform { state in
            state.audioParts.filter { $0.conversation == id && (user == nil || $0.uid == user) }.sorted {
                ($0.audio.captureStart, $0.session, $0.audio.part) < ($1.audio.captureStart, $1.session, $1.audio.part)
            }
        }
    }

    package func segments(
        ofConversation id: String, user: String
    ) async throws(SessionRecordError) -> [TranscriptSegment] {
        try perform { state in
            state.segments.values.filter { $0.conversation == id && $0.uid == user }
                .sorted { ($0.segment.start, $0.session, $0.ordinal) < ($1.segment.start, $1.session, $1.ordinal) }
                .map(\.segment)
        }
    }

    package func usage(of user: String) async throws(SessionRecordError) -> [DailyUsage] {
        try perform { state in
            var days: [String: DailyUsage] = [:]
            for event in state.usage.values where event.uid == user {
                guard let usage = event.usage else { continue }
                days[usage.day, default: DailyUsage(day: usage.day)].receivedSeconds += usage.receivedSeconds
                days[usage.day, default: DailyUsage(day: usage.day)].transcribedSeconds += usage.transcribedSeconds
            }
            for part in state.audioParts where part.uid == user {
                for (day, seconds) in DailyUsage.split(part.audio) {
                    days[day, default: DailyUsage(day: day)].storedSeconds += seconds
                }
            }
            return days.values.sorted { $0.day > $1.day }
        }
    }
}
