import EarshotModel
import PostgresClient

/// A batch of events as bulk statements; each row once a statement, the newest event's.
struct RecordBatch {
    private var started: [String: SessionEvent] = [:]
    private var ended: [String: SessionEvent] = [:]
    private var conversations: [String: SessionEvent] = [:]
    private var segments: [String: Row] = [:]
    private var completed: [String: SessionEvent] = [:]
    private(set) var audio: [String: (event: SessionEvent, part: StoredAudioPart)] = [:]

    private(set) var usage: [String: (event: SessionEvent, total: SessionUsage)] = [:]

    /// A segment with where it belongs.
    private struct Row {
        let segment: TranscriptSegment
        let event: SessionEvent
        let ordinal: UInt64
    }

    init(_ events: [SessionEvent]) {
        for event in events {
            switch event.type {
            case .sessionStarted:
                started[event.session] = event
                let name = "\(event.uid)/\(event.conversation)"
                conversations[name] = conversations[name] ?? event
            case .sessionEnded: ended[event.session] = ended[event.session] ?? event
            case .transcriptSegments:
                for (index, segment) in (event.segments ?? []).enumerated() {
                    let row = Row(segment: segment, event: event, ordinal: (event.firstSegment ?? 0) + UInt64(index))
                    let name = "\(event.uid)/\(segment.id)"
                    if let known = segments[name], known.event.ordinal > event.ordinal { continue }
                    segments[name] = row
                }
            case .conversationCompleted, .conversationUpdated:
                completed["\(event.uid)/\(event.conversation)"] = event
            case .audioStored:
                guard let part = event.audio else { continue }
                let key = "\(event.session)/\(part.part)"
                audio[key] = audio[key] ?? (event, part)
            case .sessionUsage:
                guard let total = event.usage else { continue }
                let key = "\(event.session)/\(total.day)"
                if let known = usage[key], known.event.ordinal > event.ordinal { continue }
                usage[key] = (event, total)
            case .speakerSampleStored, .speakerSampleRejected, .endpointDisabled, .endpointAttempts: break
            }
        }
    }

    /// The statements, in an order in which concurrent writers lock rows alike.
    var statements: [SQLStatement] {
        var statements: [SQLStatement] = []
        if !conversations.isEmpty { statements.append(conversationStatement) }
        if !started.isEmpty { statements.append(startedStatement) }
        if !ended.isEmpty { statements.append(endedStatement) }
        if !segments.isEmpty { statements.append(segmentStatement) }
        if !completed.isEmpty { statements.append(completedStatement) }
        if !audio.isEmpty { statements += [audioStatement, storedStatement] }
        if !usage.isEmpty { statements.append(usageStatement) }
        return statements
    }

    private func sorted(_ events: [String: SessionEvent]) -> [SessionEvent] {
        events.sorted { $0.key < $1.key }.map(\.value)
    }

    private var conversationStatement: SQLStatement {
        let list = sorted(conversations)
        return """
            INSERT INTO conversations (id, uid, started_at, source)
            SELECT id, uid, timestamptz 'epoch' + us * interval '1 microsecond', source
            FROM unnest(\(list.map(\.conversation)), \(list.map(\.uid)),
                \(list.map { $0.conversationStart ?? $0.time }), \(list.map(\.source))) AS t (id, uid, us, source)
            ON CONFLICT (uid, id) DO NOTHING
            """
    }

    private var startedStatement: SQLStatement {
        let list = sorted(started)
        return """
            INSERT INTO sessions (id, uid, conversation, started_at, sample_rate, codec, language, source, gateway,
                predecessor)
            SELECT id, uid, conversation, timestamptz 'epoch' + us * interval '1 microsecond', rate, codec, language,
                source, gateway, predecessor
            FROM unnest(\(list.map(\.session))::uuid[], \(list.map(\.uid)), \(list.map(\.conversation)),
                \(list.map(\.time)), \(list.map { Int64($0.sampleRate ?? 0) }), \(list.map(\.codec)),
                \(list.map(\.language)), \(list.map(\.source)), \(list.map(\.gateway)),
                \(list.map(\.predecessor))::uuid[])
                AS t (id, uid, conversation, us, rate, codec, language, source, gateway, predecessor)
            ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, sample_rate = excluded.sample_rate,
                codec = excluded.codec, language = excluded.language, source = excluded.source,
                gateway = excluded.gateway, predecessor = excluded.predecessor
            """
    }

    private var endedStatement: SQLStatement {
        let list = sorted(ended)
        return """
            INSERT INTO sessions (id, uid, conversation, ended_at, end_reason, frames, audio_seconds, corrupt_frames,
                lost_frames)
            SELECT id, uid, conversation, timestamptz 'epoch' + us * interval '1 microsecond', reason, frames, seconds,
                corrupt, lost
            FROM unnest(\(list.map(\.session))::uuid[], \(list.map(\.uid)), \(list.map(\.conversation)),
                \(list.map(\.time)), \(list.map(\.reason)), \(list.map { Int64(clamping: $0.frames ?? 0) }),
                \(list.map { $0.audioSeconds ?? 0 }), \(list.map { Int64(clamping: $0.corruptFrames ?? 0) }),
                \(list.map { Int64(clamping: $0.lostFrames ?? 0) }))
                AS t (id, uid, conversation, us, reason, frames, seconds, corrupt, lost)
            ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, end_reason = excluded.end_reason,
                frames = excluded.frames, audio_seconds = excluded.audio_seconds,
                corrupt_frames = excluded.corrupt_frames, lost_frames = excluded.lost_frames
            WHERE sessions.ended_at IS NULL
            """
    }

    private var completedStatement: SQLStatement {
        let list = sorted(completed)
        return """
            UPDATE conversations AS c SET completed_at = timestamptz 'epoch' + t.us * interval '1 microsecond',
                ended_at = timestamptz 'epoch' + t.last * interval '1 microsecond'
            FROM unnest(\(list.map(\.uid)), \(list.map(\.conversation)), \(list.map(\.time)),
                \(list.map { $0.conversationEnd ?? $0.time })) AS t (uid, id, us, last)
            WHERE c.uid = t.uid AND c.id = t.id AND (c.completed_at IS NULL
                OR c.completed_at < timestamptz 'epoch' + t.us * interval '1 microsecond')
            """
    }

    private var segmentStatement: SQLStatement {
        let rows = segments.sorted { $0.key < $1.key }.map(\.value)
        return """
            INSERT INTO segments (id, session, conversation, uid, ordinal, revision, start_seconds, end_seconds, text,
                speaker, speaker_id, is_user, person, channel, language, stt_provider, speaker_label_source,
                speaker_match_source, speaker_identity_status, speaker_id_scope, speech_profile_processed)
            SELECT * FROM unnest(\(rows.map(\.segment.id)), \(rows.map(\.event.session))::uuid[],
                \(rows.map(\.event.conversation)), \(rows.map(\.event.uid)),
                \(rows.map { Int64(clamping: $0.ordinal) }), \(rows.map { Int64(clamping: $0.event.ordinal) }),
                \(rows.map(\.segment.start)), \(rows.map(\.segment.end)), \(rows.map(\.segment.text)),
                \(rows.map(\.segment.speaker)), \(rows.map { Int64($0.segment.speakerID) })::integer[],
                \(rows.map(\.segment.isUser)), \(rows.map(\.segment.personID)),
                \(rows.map { Int64($0.segment.channel) })::integer[], \(rows.map(\.segment.language)),
                \(rows.map(\.segment.sttProvider)), \(rows.map(\.segment.speakerLabelSource)),
                \(rows.map(\.segment.speakerMatchSource)), \(rows.map(\.segment.speakerIdentityStatus)),
                \(rows.map(\.segment.speakerIDScope)), \(rows.map(\.segment.speechProfileProcessed)))
            ON CONFLICT (uid, id) DO UPDATE SET text = excluded.text, start_seconds = excluded.start_seconds,
                end_seconds = excluded.end_seconds, revision = excluded.revision, speaker = excluded.speaker,
                speaker_id = excluded.speaker_id, is_user = excluded.is_user, person = excluded.person,
                speaker_label_source = excluded.speaker_label_source,
                speaker_match_source = excluded.speaker_match_source,
                speaker_identity_status = excluded.speaker_identity_status,
                speaker_id_scope = excluded.speaker_id_scope,
                speech_profile_processed = excluded.speech_profile_processed
            WHERE segments.revision < excluded.revision
            """
    }
}
