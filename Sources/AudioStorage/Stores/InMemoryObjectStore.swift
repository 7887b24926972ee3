import Synchronization

/// A store in memory, for tests of those who store.
package final class InMemoryObjectStore: ObjectStore {
    private struct State {
        var objects: [ObjectKey: [UInt8]] = [:]
        var failure: ObjectStoreError?
        var failingPrefix = ""
        var puts: [ObjectKey] = []
    }

    private let state = Mutex(State())

    /// An empty store.
    package init() {}

    /// Makes every operation on keys with a prefix fail, or work again.
    package func fail(_ error: ObjectStoreError?, prefix: String = "") {
        state.withLock {
            $0.failure = error
            $0.failingPrefix = prefix
        }
    }

    /// All objects.
    package var objects: [ObjectKey: [UInt8]] { state.withLock(\.objects) }
    /// The keys of all writes that succeeded, in their order; a key written twice is there twice.
    package var puts: [ObjectKey] { state.withLock(\.puts) }

    private func perform<Value: Sendable>(
        _ key: String, _ body: (inout State) throws(ObjectStoreError) -> Value
    ) throws(ObjectStoreError) -> Value {
        try state.withLock { state throws(ObjectStoreError) in
            if let failure = state.failure, key.hasPrefix(state.failingPrefix) { throw failure }
            return try body(&state)
        }
    }

    package func put(
        _ bytes: [UInt8], at key: ObjectKey, contentType: String, condition: PutCondition
    ) async throws(ObjectStoreError) {
        try perform(key.text) { state throws(ObjectStoreError) in
            if condition == .absent, state.objects[key] != nil {
                throw ObjectStoreError(.exists, "\(key) is there already")
            }
            state.objects[key] = bytes
            state.puts.append(key)
        }
    }

    package func get(_ key: ObjectKey, bytesMaximum: Int) async throws(ObjectStoreError) -> [UInt8] {
        try perform(key.text) { state throws(ObjectStoreError) in
            guard let bytes = state.objects[key] else { throw ObjectStoreError(.notFound, "there is no \(key)") }
            guard bytes.count <= bytesMaximum else {
                throw ObjectStoreError(.tooLarge, "\(key) has \(bytes.count) bytes; at most \(bytesMaximum) are read")
            }
            return bytes
        }
    }

    package func size(of key: ObjectKey) async throws(ObjectStoreError) -> Int? {
        try perform(key.text) { $0.objects[key]?.count }
    }

    package func list(
        prefix: String, after: ObjectKey?, limit: Int
    ) async throws(ObjectStoreError) -> ObjectPage {
        try perform(prefix) { state in
            let found = state.objects.filter { key, _ in
                key.text.hasPrefix(prefix) && (after.map { key > $0 } ?? true)
            }
            .sorted { $0.key < $1.key }
            let entries = found.prefix(limit).map { ObjectPage.Entry(key: $0.key, bytes: $0.value.count) }
            return ObjectPage(entries: entries, isTruncated: found.count > limit, nextAfter: entries.last?.key)
        }
    }

    package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        try perform(key.text) { $0.objects[key] = nil }
    }
}
