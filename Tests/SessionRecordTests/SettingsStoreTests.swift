import EarshotModel
import Foundation
import SessionRecord
import TestSupport
import Testing

/// The same expectations for Postgres and for its twin in memory.
@Suite struct SettingsStoreTests {
    enum Kind: CaseIterable {
        case postgres
        case memory
    }

    private func withStore(_ kind: Kind, _ body: (any SettingsStore) async throws -> Void) async throws {
        guard kind == .postgres else { return try await body(InMemorySettingsStore()) }
        let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Migrations").path
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: directory, logger: .silent).run()
            try await body(PostgresSettingsStore(client: database.client))
        }
    }

    @Test("What is set is kept, what is not given stays", arguments: Kind.allCases)
    func change(kind: Kind) async throws {
        try await withStore(kind) { store in
            let user = try #require(UserID("alice"))
            #expect(try await store.settings(of: user) == UserSettings())
            try await store.change(user, isStorageOn: true, protection: nil)
            try await store.change(user, isStorageOn: nil, protection: .enhanced)
            let settings = try await store.settings(of: user)
            #expect(settings.isStorageOn && settings.protection == .enhanced && settings.revision == 2)
        }
    }

    @Test(
        "A change is pending until its revision is projected, and again when it is changed again",
        arguments: Kind.allCases)
    func pending(kind: Kind) async throws {
        try await withStore(kind) { store in
            let users = try ["a", "b", "c"].map { try #require(UserID($0)) }
            for user in users { try await store.change(user, isStorageOn: true, protection: nil) }
            let first = try await store.pending(limit: 2)
            #expect(first.map(\.user.text) == ["a", "b"])
            try await store.change(users[0], isStorageOn: false, protection: nil)
            try await store.markProjected(first)
            let rest = try await store.pending(limit: 10)
            #expect(rest.map(\.user.text) == ["c", "a"])
            #expect(rest.last?.settings.isStorageOn == false)
            try await store.markProjected(rest)
            #expect(try await store.pending(limit: 10).isEmpty)
            try await store.markProjected(first)
            #expect(try await store.pending(limit: 10).isEmpty, "an older note takes nothing back")
            #expect(try await store.all(after: nil, limit: 2).map(\.user.text) == ["a", "b"])
            #expect(try await store.all(after: users[1], limit: 2).map(\.user.text) == ["c"])
        }
    }
}
