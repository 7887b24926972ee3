/// Keeps objects by key.
///
/// A write is durable when it returns, and whoever reads sees all of it or nothing. Three implementations are held to
/// the same behaviour by one conformance suite: a directory, S3, and memory.
package protocol ObjectStore: Sendable {
    /// Writes an object.
    ///
    /// - Parameters:
    ///   - bytes: its contents.
    ///   - key: its name.
    ///   - contentType: a media type, for stores that keep one.
    ///   - condition: whether an object that is there may be replaced.
    /// - Throws: `exists` when the condition does not hold; any other code when it is unknown whether it was written.
    func put(
        _ bytes: [UInt8], at key: ObjectKey, contentType: String, condition: PutCondition
    ) async throws(ObjectStoreError)

    /// Reads an object.
    ///
    /// - Parameters:
    ///   - key: its name.
    ///   - bytesMaximum: the most it may hold.
    /// - Returns: its contents.
    /// - Throws: `notFound`, or `tooLarge` when it holds more.
    func get(_ key: ObjectKey, bytesMaximum: Int) async throws(ObjectStoreError) -> [UInt8]

    /// An object's size in bytes; `nil` when there is none.
    func size(of key: ObjectKey) async throws(ObjectStoreError) -> Int?

    /// The objects whose keys begin with a text, in the order of their keys, one page.
    ///
    /// Objects whose keys are not of the form of `ObjectKey` are left out: they are somebody else's.
    ///
    /// - Parameters:
    ///   - prefix: what keys begin with; may be empty.
    ///   - after: the last key of the page before.
    ///   - limit: the most keys of the page, 1 to 1,000.
    /// - Returns: the page.
    /// - Throws: `ObjectStoreError`; also when the store does not answer.
    func list(
        prefix: String, after: ObjectKey?, limit: Int
    ) async throws(ObjectStoreError) -> ObjectPage

    /// Removes an object; nothing happens when there is none.
    func delete(_ key: ObjectKey) async throws(ObjectStoreError)

    /// Throws when the store is known to be away, before anybody prepares what could not be written.
    func checkAvailable() throws(ObjectStoreError)
}

/// Whether a write may replace what is there.
package enum PutCondition: Sendable {
    /// It may.
    case always
    /// Only if there is no object of that key.
    case absent
}

/// A page of a listing.
package struct ObjectPage: Sendable, Equatable {
    /// One object.
    package struct Entry: Sendable, Equatable {
        package var key: ObjectKey
        /// Its size in bytes.
        package var bytes: Int
    }

    package var entries: [Entry]
    /// Whether there may be more behind the last entry.
    package var isTruncated: Bool
    /// Where the next page begins, when there is one; not always the last entry's key.
    package var nextAfter: ObjectKey?

    /// Makes a page.
    package init(entries: [Entry], isTruncated: Bool, nextAfter: ObjectKey? = nil) {
        self.entries = entries
        self.isTruncated = isTruncated
        self.nextAfter = nextAfter
    }
}

extension ObjectStore {
    /// Nothing is known beforehand.
    package func checkAvailable() throws(ObjectStoreError) {}

    /// All objects under a prefix.
    ///
    /// - Parameters:
    ///   - prefix: what keys begin with.
    ///   - maximum: past so many it fails.
    /// - Returns: the entries in the order of their keys.
    /// - Throws: `tooLarge` past the maximum.
    package func listAll(prefix: String, maximum: Int) async throws(ObjectStoreError) -> [ObjectPage.Entry] {
        var entries: [ObjectPage.Entry] = []
        var after: ObjectKey?
        while true {
            let page = try await list(prefix: prefix, after: after, limit: 1_000)
            entries += page.entries
            guard entries.count <= maximum else {
                throw ObjectStoreError(.tooLarge, "there are more than \(maximum) objects under \(prefix)")
            }
            guard page.isTruncated, let next = page.nextAfter else { return entries }
            after = next
        }
    }
}
