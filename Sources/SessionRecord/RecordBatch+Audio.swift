import EarshotModel
import PostgresClient

extension RecordBatch {
    /// Stored parts; a part is stored once, so that the first event of it holds.
    var audioStatement: SQLStatement {
        let rows = audio.sorted { $0.key < $1.key }.map(\.value)
        return """
            INSERT INTO audio_parts (id, session, conversation, uid, part, first_sequence, last_sequence, object,
                format, encrypted, bytes, sha256, sample_rate, capture_start, capture_end, seconds, stored_at, missing)
            SELECT id, session, conversation, uid, part, first, last, object, format, encrypted, bytes, sha256, rate,
                timestamptz 'epoch' + captured * interval '1 microsecond',
                timestamptz 'epoch' + until * interval '1 microsecond', seconds,
                timestamptz 'epoch' + stored * interval '1 microsecond', missing
            FROM unnest(\(rows.map(\.event.id))::uuid[], \(rows.map(\.event.session))::uuid[],
                \(rows.map(\.event.conversation)), \(rows.map(\.event.uid)),
                \(rows.map { Int64(clamping: $0.part.part) }), \(rows.map { Int64(clamping: $0.part.firstSequence) }),
                \(rows.map { Int64(clamping: $0.part.lastSequence) }), \(rows.map(\.part.object)),
                \(rows.map(\.part.format.rawValue)), \(rows.map(\.part.isEncrypted)),
                \(rows.map { Int64($0.part.bytes) }), \(rows.map(\.part.sha256)),
                \(rows.map { Int64($0.part.sampleRate) })::integer[], \(rows.map(\.part.captureStart)),
                \(rows.map(\.part.captureEnd)), \(rows.map(\.part.seconds)), \(rows.map(\.event.time)),
                \(rows.map { Self.multirange($0.event.missingFrames ?? []) })::int8multirange[])
                AS t (id, session, conversation, uid, part, first, last, object, format, encrypted, bytes, sha256, rate,
                    captured, until, seconds, stored, missing)
            ON CONFLICT DO NOTHING
            """
    }

    private static func multirange(_ ranges: [ClosedRange<UInt64>]) -> String {
        let texts = ranges.map { "[\(Int64(clamping: $0.lowerBound)),\(Int64(clamping: $0.upperBound))]" }
        return "{\(texts.joined(separator: ","))}"
    }

    /// How far sessions are stored, apart from the parts: a part's row that goes missing is missed (docs/ledger.md).
    var storedStatement: SQLStatement {
        var next: [String: UInt64] = [:]
        for row in audio.values {
            next[row.event.session] = max(next[row.event.session] ?? 0, row.part.lastSequence + 1)
        }
        let rows = next.sorted { $0.key < $1.key }
        return """
            UPDATE sessions AS s SET stored_next = t.next
            FROM unnest(\(rows.map(\.key))::uuid[], \(rows.map { Int64(clamping: $0.value) })) AS t (id, next)
            WHERE s.id = t.id AND coalesce(s.stored_next, 0) < t.next
            """
    }
}
