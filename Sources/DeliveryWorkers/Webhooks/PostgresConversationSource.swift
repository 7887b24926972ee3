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

    package func conversation(
        _ id: String, of uid: String, asOf time: Int64
    ) async throws(WebhookError) -> ConversationSnapshot? {
        do {
            guard var snapshot = try await header(of: id, uid, asOf: time) else { return nil }
            snapshot.segments = try await record.segments(ofConversation: id, user: uid)
            snapshot.personNames = try await personNames(uid)
            snapshot.audio = try await record.audioParts(ofConversation: id, user: uid).map(\.audio)
            return snapshot
        } catch let error as WebhookError {
            throw error
        } catch let error as SessionRecordError {
            throw WebhookError(error.code == .refused ? .refused : .unavailable, error.message)
        } catch {
            throw WebhookError(.unavailable, "\(error)")
        }
    }

    private func personNames(_ uid: String) async throws -> [String: String] {
        let rows = try await client.query("SELECT person, name FROM voices WHERE uid = \(uid)")
        let pairs = try rows.map { (try $0.decode("person", as: String.self), try $0.decode("name", as: String.self)) }
        return Dictionary(pairs) { first, _ in first }
    }

    /// Everything but segments and audio; the record writes a partition's events in their order, so that a conversation
    /// whose completion it has is there as a whole.
    private func header(of id: String, _ uid: String, asOf time: Int64) async throws -> ConversationSnapshot? {
        let rows = try await client.query(
            """
            SELECT c.started_at, coalesce(c.ended_at, max(s.ended_at), c.started_at) AS finished_at,
                coalesce(c.source, max(s.source)) AS source, max(s.language) AS language,
                coalesce(c.completed_at >= \(microseconds: time), false) AS is_complete
            FROM conversations c LEFT JOIN sessions s ON s.conversation = c.id AND s.uid = c.uid
            WHERE c.id = \(id) AND c.uid = \(uid) GROUP BY c.uid, c.id
            """)
        guard let row = rows.first else { return nil }
        return ConversationSnapshot(
            id: id, uid: uid, startedAt: try row.decodeMicroseconds("started_at") ?? 0,
            finishedAt: try row.decodeMicroseconds("finished_at") ?? 0, language: try row.decode("language"),
            source: try row.decode("source"), isComplete: try row.decode("is_complete"))
    }
}
