import AudioStorage
import Foundation
import Testing

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

    @Test("A file in the way is an error that names the object")
    func inTheWay() async throws {
        try await withDirectory { path in
            try Data().write(to: URL(fileURLWithPath: path + "/file"))
            let store = DirectoryObjectStore(directory: path + "/file")
            let error = await #expect(throws: ObjectStoreError.self) {
                try await store.put([1], at: ObjectKey("a/b"), contentType: "audio/ogg", condition: .always)
            }
            #expect(error?.message.contains("a/b") == true)
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
