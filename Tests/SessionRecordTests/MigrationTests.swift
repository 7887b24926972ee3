import Foundation
import PostgresClient
import SessionRecord
import TestSupport
import Testing

@Suite struct MigrationTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Migrations").path

    private func directory(_ files: [String: String]) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("migrations-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, sql) in files { try sql.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8) }
        return path
    }

    private func run(_ database: TestDatabase, _ directory: String) async throws -> [String] {
        try await MigrationRunner(client: database.client, directory: directory, logger: .silent).run()
    }

    @Test("The product's migrations apply once; a second run has nothing to do")
    func product() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            #expect(try await run(database, Self.repository).first == "0001_sessions")
            #expect(try await run(database, Self.repository).isEmpty)
        }
    }

    @Test("Two processes that migrate at once apply everything once")
    func concurrent() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            async let first = run(database, Self.repository)
            async let second = run(database, Self.repository)
            let applied = try await first + second
            #expect(applied.count == Set(applied).count)
            #expect(applied.contains("0001_sessions"))
        }
    }

    @Test("Changed history is an error that names the file")
    func changedHistory() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            _ = try await run(database, directory(["0001_a.up.sql": "CREATE TABLE a (x int)"]))
            let changed = try directory(["0001_a.up.sql": "CREATE TABLE a (x bigint)"])
            let error = await #expect(throws: MigrationError.self) { try await run(database, changed) }
            #expect(error?.code == .historyChanged)
            #expect(error?.message.contains("0001_a") == true)
        }
    }

    @Test("A failing migration leaves nothing behind and can be mended")
    func failing() async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let broken = try directory(["0001_a.up.sql": "CREATE TABLE a (x int); SELECT no_such_function()"])
            let error = await #expect(throws: MigrationError.self) { try await run(database, broken) }
            #expect(error?.code == .failed)
            let mended = try directory(["0001_a.up.sql": "CREATE TABLE a (x int)"])
            #expect(try await run(database, mended) == ["0001_a"])
        }
    }

    @Test(
        "Files that are no migrations are refused",
        arguments: [
            [:], ["0002_b.up.sql": "SELECT 1"], ["1_a.up.sql": "SELECT 1"],
            ["0001_a.up.sql": "SELECT 1", "0001_b.up.sql": "SELECT 1"],
        ])
    func badFiles(files: [String: String]) async throws {
        try await PostgresServerFixture.withDatabase { database async throws in
            let directory = try directory(files)
            await #expect(throws: MigrationError.self) { try await run(database, directory) }
        }
    }
}
