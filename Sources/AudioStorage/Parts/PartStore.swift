import Crypto
package import EarshotModel
import Synchronization

/// Writes encoded parts to an object store, and describes them.
package final class PartStore: Sendable {
    private let store: any ObjectStore
    private let encryption: AudioEncryption?
    /// Keys of the `omi` format that are being written; at most one a lane.
    private let keysInHand = Mutex<Set<ObjectKey>>([])

    // Two sessions of one conversation whose parts begin in the same millisecond are rare; this many never happen.
    private static let sameTimeMax = 50

    /// A store for parts; without encryption a part that must be encrypted is refused, never written plainly.
    package init(store: any ObjectStore, encryption: AudioEncryption?) {
        self.store = store
        self.encryption = encryption
    }

    /// Writes a part.
    ///
    /// Writing it again writes the same bytes under the same key.
    ///
    /// - Parameters:
    ///   - part: the encoded part.
    ///   - specification: what it was encoded by.
    ///   - frames: the numbers of its first and last frame.
    /// - Returns: what `audio.stored` says of it.
    /// - Throws: `ObjectStoreError`, or `AudioStorageError`.
    package func store(
        _ part: EncodedPart, _ specification: PartSpecification, frames: ClosedRange<UInt64>
    ) async throws -> StoredAudioPart {
        let bytes = try protected(part.bytes, specification)
        let key =
            switch specification.format {
            case .ogg: try await storeNative(bytes, specification, frames)
            case .omi: try await storeByTime(bytes, specification)
            }
        return StoredAudioPart(
            part: specification.part, firstSequence: frames.lowerBound, lastSequence: frames.upperBound,
            object: key.text, format: specification.format, isEncrypted: specification.isEncrypted, bytes: bytes.count,
            sha256: SHA256.hash(data: bytes).hexadecimal, sampleRate: specification.sampleRate,
            captureStart: part.timeline.start, captureEnd: part.timeline.end, seconds: part.timeline.seconds)
    }

    /// Throws when the store is known to be away.
    package func checkAvailable() throws(ObjectStoreError) { try store.checkAvailable() }

    /// Whether the store is not known to be away.
    package var mayBeAvailable: Bool { (try? checkAvailable()) != nil }

    /// Removes a native object that no event names or will ever name.
    package func removeUnnamed(_ specification: PartSpecification, frames: ClosedRange<UInt64>) async {
        guard specification.format == .ogg, let key = try? PartKey.native(specification, frames: frames) else { return }
        try? await store.delete(key)
    }

    private func protected(
        _ bytes: [UInt8], _ specification: PartSpecification
    ) throws(AudioStorageError) -> [UInt8] {
        guard specification.isEncrypted else { return bytes }
        guard let encryption else {
            throw AudioStorageError(.badSecret, "the user's audio must be encrypted, and no secret is configured")
        }
        return try encryption.encrypt(
            bytes, of: specification.user,
            named: AudioEncryption.RecordName(session: specification.session, part: specification.part))
    }

    private func storeNative(
        _ bytes: [UInt8], _ specification: PartSpecification, _ frames: ClosedRange<UInt64>
    ) async throws(ObjectStoreError) -> ObjectKey {
        let key = try PartKey.native(specification, frames: frames)
        try await store.put(
            bytes, at: key, contentType: specification.isEncrypted ? PartKey.octets : "audio/ogg", condition: .always)
        return key
    }

    /// The `omi` key knows the conversation and the time only, so that two sessions can mean the same.
    ///
    /// What is there is never replaced: it is this very part, from an earlier try, or the next millisecond is taken.
    private func storeByTime(
        _ bytes: [UInt8], _ specification: PartSpecification
    ) async throws(ObjectStoreError) -> ObjectKey {
        for offset in 0..<Self.sameTimeMax {
            let key = try PartKey.omi(specification, milliseconds: (specification.start + 500) / 1000 + Int64(offset))
            // All sessions of a user are in one process, and not every store knows how to write only what is absent.
            guard keysInHand.withLock({ $0.insert(key).inserted }) else { continue }
            defer { keysInHand.withLock { _ = $0.remove(key) } }
            do throws(ObjectStoreError) {
                try await store.put(bytes, at: key, contentType: PartKey.octets, condition: .absent)
                return key
            } catch {
                guard error.code == .exists else { throw error }
            }
            if try await isStored(bytes, at: key) { return key }
        }
        throw ObjectStoreError(
            .unavailable, "the \(Self.sameTimeMax) keys from the part's beginning on are taken by other parts")
    }

    private func isStored(_ bytes: [UInt8], at key: ObjectKey) async throws(ObjectStoreError) -> Bool {
        do throws(ObjectStoreError) {
            return try await store.get(key, bytesMaximum: bytes.count) == bytes
        } catch {
            guard error.code == .tooLarge else { throw error }
            return false
        }
    }
}

extension SHA256Digest {
    /// As the record keeps it.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
