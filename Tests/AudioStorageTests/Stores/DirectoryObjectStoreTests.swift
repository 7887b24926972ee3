import Foundation
import Testing

@testable import AudioStorage

@Suite("Directory store")
struct DirectoryObjectStoreTests {
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("objects-\(UUID())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    @Test("Links are not followed, and nothing temporary stays or is listed")
    func links() async throws {
        try await withDirectory { path in
            let outside = path + "/outside.txt"
            try Data("secret".utf8).write(to: URL(fileURLWithPath: outside))
            let store = DirectoryObjectStore(directory: path + "/store")
            try await store.put([1], at: ObjectKey("a/real"), contentType: "audio/ogg", condition: .always)
            try FileManager.default.createSymbolicLink(
                atPath: path + "/store/a/link", withDestinationPath: outside)
            await #expect(throws: ObjectStoreError.self) {
                try await store.get(ObjectKey("a/link"), bytesMaximum: 100)
            }
            try await store.put([2], at: ObjectKey("a/link"), contentType: "audio/ogg", condition: .always)
            #expect(try String(contentsOfFile: outside, encoding: .utf8) == "secret")
            try Data().write(to: URL(fileURLWithPath: path + "/store/a/.123-456"))
            #expect(try await store.listAll(prefix: "", maximum: 10).map(\.key.text) == ["a/link", "a/real"])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: path + "/store/a").sorted()
                    == [".123-456", "link", "real"])
        }
    }

    @Test("What killed writers left behind is removed at the next start, once it is old; nothing else is")
    func leftBehind() async throws {
        try await withDirectory { path in
            let store = DirectoryObjectStore(directory: path)
            try await store.put([1], at: ObjectKey("a/b"), contentType: "audio/ogg", condition: .always)
            let incoming = path + "/" + IncomingFiles.directoryName
            #expect(try FileManager.default.contentsOfDirectory(atPath: incoming).isEmpty)
            let old = Date(timeIntervalSinceNow: -IncomingFiles.ageMaximum - 60)
            for (name, date) in [("1-old", old), ("2-new", Date())] {
                try Data([9]).write(to: URL(fileURLWithPath: "\(incoming)/\(name)"))
                try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: "\(incoming)/\(name)")
            }
            try FileManager.default.setAttributes([.modificationDate: old], ofItemAtPath: path + "/a/b")
            #expect(try await store.listAll(prefix: "", maximum: 10).map(\.key.text) == ["a/b"])
            let next = DirectoryObjectStore(directory: path)
            #expect(try FileManager.default.contentsOfDirectory(atPath: incoming) == ["2-new"])
            #expect(try await next.get(ObjectKey("a/b"), bytesMaximum: 10) == [1])
        }
    }

    @Test("A store whose directory is gone is away: nothing is written elsewhere, and nothing is said to be missing")
    func gone() async throws {
        try await withDirectory { path in
            let store = DirectoryObjectStore(directory: path + "/store")
            let key = try ObjectKey("a/b")
            try await store.put([1], at: key, contentType: "audio/ogg", condition: .always)
            try FileManager.default.moveItem(atPath: path + "/store", toPath: path + "/away")
            func code(_ body: () async throws -> Void) async -> ObjectStoreError.Code? {
                do {
                    try await body()
                    return nil
                } catch { return (error as? ObjectStoreError)?.code }
            }
            #expect(
                await code { try await store.put([2], at: key, contentType: "audio/ogg", condition: .always) }
                    == .unavailable)
            #expect(await code { _ = try await store.get(key, bytesMaximum: 10) } == .unavailable)
            #expect(await code { _ = try await store.size(of: key) } == .unavailable)
            #expect(await code { _ = try await store.listAll(prefix: "", maximum: 10) } == .unavailable)
            #expect(await code { try await store.delete(key) } == .unavailable)
            #expect(!FileManager.default.fileExists(atPath: path + "/store"))
            try FileManager.default.moveItem(atPath: path + "/away", toPath: path + "/store")
            #expect(try await store.get(key, bytesMaximum: 10) == [1])
        }
    }

    @Test("A file in the way is an error that names it")
    func inTheWay() async throws {
        try await withDirectory { path in
            try Data().write(to: URL(fileURLWithPath: path + "/file"))
            let store = DirectoryObjectStore(directory: path + "/file")
            let error = await #expect(throws: ObjectStoreError.self) {
                try await store.put([1], at: ObjectKey("a/b"), contentType: "audio/ogg", condition: .always)
            }
            #expect(error?.message.contains(path + "/file") == true)
            // A key below an object.
            let other = DirectoryObjectStore(directory: path + "/store")
            try await other.put([1], at: ObjectKey("a"), contentType: "audio/ogg", condition: .always)
            await #expect(throws: ObjectStoreError.self) {
                try await other.put([1], at: ObjectKey("a/b"), contentType: "audio/ogg", condition: .always)
            }
            #expect(try await other.size(of: ObjectKey("a/b")) == nil)
        }
    }
}
