import Foundation
import NIOPosix

/// A store in a directory of this machine, one file an object.
///
/// An object is written under a temporary name, forced to disk, renamed, and the rename is forced to disk, too: after
/// a power cut it is there whole. The calls block, so they run on NIO's threads for that.
package struct DirectoryObjectStore: ObjectStore {
    private let root: String

    /// A store in a directory, which is made when it is missing; what killed writers left there is removed.
    ///
    /// A directory that goes away later is a store that is away, and is not made again: it may be back any moment.
    package init(directory: String) {
        root = directory
        try? FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        IncomingFiles(root: directory).sweep()
    }

    package func put(
        _ bytes: [UInt8], at key: ObjectKey, contentType: String, condition: PutCondition
    ) async throws(ObjectStoreError) {
        try await onThread { [root] in
            let file = DurableFile(root: root, key: key)
            try file.write(bytes, replaces: condition == .always)
        }
    }

    package func get(_ key: ObjectKey, bytesMaximum: Int) async throws(ObjectStoreError) -> [UInt8] {
        try await onThread { [root] in try DurableFile(root: root, key: key).read(bytesMaximum: bytesMaximum) }
    }

    package func size(of key: ObjectKey) async throws(ObjectStoreError) -> Int? {
        try await onThread { [root] in try DurableFile(root: root, key: key).size() }
    }

    package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        try await onThread { [root] in try DurableFile(root: root, key: key).remove() }
    }

    package func list(
        prefix: String, after: ObjectKey?, limit: Int
    ) async throws(ObjectStoreError) -> ObjectPage {
        try await onThread { [root] in
            try DurableFile.expect(root)
            var walk = DirectoryWalk(root: root, prefix: prefix, after: after, limit: limit)
            return try walk.run()
        }
    }

    private func onThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws(ObjectStoreError) -> Value {
        do {
            return try await NIOThreadPool.singleton.runIfActive(body)
        } catch let error as ObjectStoreError {
            throw error
        } catch {
            throw ObjectStoreError(.unavailable, "the object directory cannot be used: \(error)")
        }
    }
}
