package import EarshotModel
import FoundationEssentials
package import PostgresClient

/// Settings in Postgres.
///
/// The revision stands in the same row as what was projected of it, so that no change is missed whatever the order in
/// which transactions commit.
package struct PostgresSettingsStore: SettingsStore {
    private let client: PostgresClient

    /// Settings in a migrated database.
    package init(client: PostgresClient) { self.client = client }

    package func settings(of user: UserID) async throws(SessionRecordError) -> UserSettings {
        let rows = try await query("\(unsafeSQL: Self.selection) WHERE c.uid = \(user.text)")
        return rows.first?.settings ?? UserSettings()
    }

    package func change(
        _ user: UserID, isStorageOn: Bool?, protection: UserSettings.Protection?
    ) async throws(SessionRecordError) {
        do throws(PostgresError) {
            try await client.execute(
                """
                INSERT INTO user_settings AS s (uid, storage, protection)
                VALUES (\(user.text), coalesce(\(isStorageOn)::boolean, false),
                    coalesce(\(protection?.rawValue)::text, 'standard'))
                ON CONFLICT (uid) DO UPDATE SET storage = coalesce(\(isStorageOn)::boolean, s.storage),
                    protection = coalesce(\(protection?.rawValue)::text, s.protection)
                """)
        } catch {
            throw SessionRecordError(error)
        }
    }

    package func pending(limit: Int) async throws(SessionRecordError) -> [ProjectedSettings] {
        try await query(
            "\(unsafeSQL: Self.selection) WHERE c.projected < c.revision ORDER BY c.revision LIMIT \(limit)")
    }

    package func all(after user: UserID?, limit: Int) async throws(SessionRecordError) -> [ProjectedSettings] {
        try await query("\(unsafeSQL: Self.selection) WHERE c.uid > \(user?.text ?? "") ORDER BY c.uid LIMIT \(limit)")
    }

    package func markProjected(_ settings: [ProjectedSettings]) async throws(SessionRecordError) {
        guard !settings.isEmpty else { return }
        do throws(PostgresError) {
            try await client.execute(
                """
                UPDATE settings_changes AS c SET projected = t.revision
                FROM unnest(\(settings.map(\.user.text)), \(settings.map(\.settings.revision))) AS t (uid, revision)
                WHERE c.uid = t.uid AND c.projected < t.revision
                """)
        } catch {
            throw SessionRecordError(error)
        }
    }

    /// One statement, so that a document and its revision belong together.
    private static let selection = """
        SELECT c.uid, c.revision, coalesce(s.storage, false) AS storage,
            coalesce(s.protection, 'standard') AS protection,
            earshot_audio_endpoints(c.uid)::text AS audio_endpoints, earshot_voices(c.uid)::text AS voices
        FROM settings_changes AS c LEFT JOIN user_settings AS s USING (uid)
        """

    private func query(_ statement: SQLStatement) async throws(SessionRecordError) -> [ProjectedSettings] {
        do throws(PostgresError) {
            var found: [ProjectedSettings] = []
            for row in try await client.query(statement) {
                if let settings = try Self.read(row) { found.append(settings) }
            }
            return found
        } catch {
            throw SessionRecordError(error)
        }
    }

    private static func read(_ row: PostgresRow) throws(PostgresError) -> ProjectedSettings? {
        guard let user = UserID(try row.decode("uid", as: String.self)) else { return nil }
        let protection: String = try row.decode("protection")
        let endpoints: String = try row.decode("audio_endpoints")
        let voices: String = try row.decode("voices")
        return ProjectedSettings(
            user: user,
            settings: UserSettings(
                revision: try row.decode("revision"), isStorageOn: try row.decode("storage"),
                protection: UserSettings.Protection(rawValue: protection) ?? .standard,
                audioEndpoints: (try? JSONDecoder().decode([AudioEndpoint].self, from: Data(endpoints.utf8))) ?? [],
                voices: (try? JSONDecoder().decode([KnownVoice].self, from: Data(voices.utf8))) ?? []))
    }
}
