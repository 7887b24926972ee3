import AudioStorage
import Foundation
import Testing

/// The same expectations for every store.
@Suite("Object stores", .timeLimit(.minutes(3)))
struct ObjectStoreConformanceTests {
    enum Kind: String, CaseIterable, Sendable {
        case memory
        case directory
        case moto
        case nanio
    }

    private func withStore(_ kind: Kind, _ body: (any ObjectStore) async throws -> Void) async throws {
        switch kind {
        case .memory: try await body(InMemoryObjectStore())
        case .directory:
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("objects-\(UUID())").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            try await body(DirectoryObjectStore(directory: path))
        case .moto: try await S3Server.withStore(.moto) { try await body($0) }
        case .nanio: try await S3Server.withStore(.nanio) { try await body($0) }
        }
    }

    private func bytes(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 7) &+ seed }
    }

    @Test("What is written is read, replaced, measured and removed", arguments: Kind.allCases)
    func roundTrip(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("audio/alice/c-1/s/000000-0-99.ogg")
            #expect(try await store.size(of: key) == nil)
            for contents in [bytes(100_000), bytes(5), [], bytes(300, seed: 9)] {
                try await store.put(contents, at: key, contentType: "audio/ogg", condition: .always)
                #expect(try await store.get(key, bytesMaximum: 100_000) == contents)
                #expect(try await store.size(of: key) == contents.count)
            }
            try await store.delete(key)
            try await store.delete(key)
            #expect(try await store.size(of: key) == nil)
            let missing = await #expect(throws: ObjectStoreError.self) {
                try await store.get(key, bytesMaximum: 10)
            }
            #expect(missing?.code == .notFound)
        }
    }

    @Test("More than asked for is refused", arguments: Kind.allCases)
    func tooLarge(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("a/b")
            try await store.put(bytes(50_000), at: key, contentType: "audio/ogg", condition: .always)
            let error = await #expect(throws: ObjectStoreError.self) { try await store.get(key, bytesMaximum: 49_999) }
            #expect(error?.code == .tooLarge)
        }
    }

    @Test("A write that asks for absence never replaces", arguments: Kind.allCases)
    func absent(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("chunks/alice/c/1700000000.123.batch.bin")
            try await store.put([1, 2], at: key, contentType: "audio/ogg", condition: .absent)
            let error = await #expect(throws: ObjectStoreError.self) {
                try await store.put([3], at: key, contentType: "audio/ogg", condition: .absent)
            }
            #expect(error?.code == .exists)
            #expect(try await store.get(key, bytesMaximum: 10) == [1, 2])
        }
    }

    @Test("Listings are in the order of the keys, by prefix, in pages", arguments: Kind.allCases)
    func listing(kind: Kind) async throws {
        try await withStore(kind) { store in
            let names = ["a/x.ogg", "a/x/1", "a/x/2", "a-b/1", "a.b", "b/1", "b/10", "b/2", "b/sub/3"]
            for name in names.shuffled() {
                try await store.put(
                    bytes(name.count), at: try ObjectKey(name), contentType: "audio/ogg", condition: .always)
            }
            let expected = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            for prefix in ["", "a", "a/", "a/x", "b/", "b/1", "nothing"] {
                let found = try await store.listAll(prefix: prefix, maximum: 100)
                #expect(found.map(\.key.text) == expected.filter { $0.hasPrefix(prefix) }, "prefix \(prefix)")
                #expect(found.allSatisfy { $0.bytes == $0.key.text.count })
            }
            // nanio 0.1.7 pages a directory before its siblings with a dash or a dot, which sort before the slash.
            let prefix = kind == .nanio ? "b/" : ""
            #expect(try await paged(store, prefix) == expected.filter { $0.hasPrefix(prefix) })
            await #expect(throws: ObjectStoreError.self) { try await store.listAll(prefix: "", maximum: 3) }
        }
    }

    private func paged(_ store: any ObjectStore, _ prefix: String) async throws -> [String] {
        var names: [String] = []
        var after: ObjectKey?
        while true {
            let page = try await store.list(prefix: prefix, after: after, limit: 2)
            #expect(page.entries.count <= 2)
            names += page.entries.map(\.key.text)
            guard page.isTruncated, let next = page.nextAfter else { return names }
            after = next
        }
    }

    @Test("Readers see whole objects while writers replace them", arguments: [Kind.memory, .directory])
    func atomic(kind: Kind) async throws {
        try await withStore(kind) { store in
            let key = try ObjectKey("a/b/c")
            try await store.put(bytes(60_000), at: key, contentType: "audio/ogg", condition: .always)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for seed in 1...4 {
                    tasks.addTask {
                        try await store.put(
                            bytes(60_000, seed: UInt8(seed)), at: key, contentType: "audio/ogg", condition: .always)
                    }
                    tasks.addTask {
                        let read = try await store.get(key, bytesMaximum: 60_000)
                        #expect((1...4).contains { read == bytes(60_000, seed: UInt8($0)) })
                    }
                }
                try await tasks.waitForAll()
            }
        }
    }
}
