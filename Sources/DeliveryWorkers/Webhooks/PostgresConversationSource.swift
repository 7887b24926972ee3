package import PostgresClient
package import SessionRecord
package import WebhookDelivery

/// Conversations out of the record.
package struct PostgresConversationSource: ConversationSource {
    private let client: PostgresClient
    private let record: any SessionRecord

    /// A source over a database and the record in it.
    package init(client: PostgresClient, record: any SessionRecord) {
        self.client = client
        self.record = record
    }

    package func conversation(_ id: String) async throws(WebhookError) -> ConversationSnapshot? {
        do {
            guard var snapshot = try await header(of: id) else { return nil }
            snapshot.segments = try await record.segments(ofConversation: id)
            return snapshot
        } catch let error as WebhookError {
            throw error
        } catch let error as SessionRecordError {
            throw WebhookError(error.code == .refused ? .refused : .unavailable, error.message)
        } catch {
            throw WebhookError(.unavailable, "\(error)")
        }
    }

    /// Everything but the segments; the record writes events in their order, so ended sessions are there as a whole.
    private func header(of id: String) async throws -> ConversationSnapshot? {
        let rows = try await client.query(
            """
            SELECT c.uid, c.started_at, coalesce(c.ended_at, max(s.ended_at), c.started_at) AS finished_at,
                coalesce(c.source, max(s.source)) AS source, max(s.language) AS language,
                count(s.id) > 0 AND bool_and(s.ended_at IS NOT NULL) AS is_complete
            FROM conversations c LEFT JOIN sessions s ON s.conversation = c.id
            WHERE c.id = \(id) GROUP BY c.id
            """)
        guard let row = rows.first else { return nil }
        return ConversationSnapshot(
            id: id, uid: try row.decode("uid"), startedAt: try row.decodeMicroseconds("started_at") ?? 0,
            finishedAt: try row.decodeMicroseconds("finished_at") ?? 0, language: try row.decode("language"),
            source: try row.decode("source"), isComplete: try row.decode("is_complete"))
    }
}
