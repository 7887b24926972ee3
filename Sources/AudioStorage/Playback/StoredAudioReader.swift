import AudioCodecs
import Crypto
package import EarshotModel

/// Reads stored audio back, in every format that a bucket may hold, encrypted or not.
package struct StoredAudioReader: Sendable {
    private let store: any ObjectStore
    private let encryption: AudioEncryption?

    /// The largest object read: an hour of 48 kHz PCM16, and the encryption around it.
    package static let objectBytesMax = 400 << 20

    /// A reader; without encryption encrypted objects are refused.
    package init(store: any ObjectStore, encryption: AudioEncryption?) {
        self.store = store
        self.encryption = encryption
    }

    /// Decoded audio.
    package struct Samples: Sendable, Equatable {
        package var sampleRate: Int
        /// Mono.
        package var samples: [Int16]

        /// Makes audio.
        package init(sampleRate: Int, samples: [Int16]) {
            self.sampleRate = sampleRate
            self.samples = samples
        }
    }

    /// Reads a part that the record names; its bytes are checked against the record's sum.
    ///
    /// - Throws: `ObjectStoreError`, `AudioStorageError`, or `AudioCodecError`.
    package func samples(of part: StoredAudioPart, user: UserID) async throws -> Samples {
        let key = try ObjectKey(part.object)
        let bytes = try await store.get(key, bytesMaximum: Self.objectBytesMax)
        guard bytes.count == part.bytes, SHA256.hash(data: bytes).hexadecimal == part.sha256 else {
            throw AudioStorageError(
                .corrupt, "\(key) is not what was stored: \(part.bytes) bytes with SHA-256 \(part.sha256) are expected")
        }
        return try decode(bytes, key: key, user: user, sampleRate: part.sampleRate)
    }

    /// Reads an object by the suffix of its key alone.
    ///
    /// - Parameters:
    ///   - key: the object's key.
    ///   - user: whose it is; for the key of the encryption.
    ///   - sampleRate: of formats that do not say it.
    /// - Returns: the audio.
    /// - Throws: `ObjectStoreError`, `AudioStorageError`, or `AudioCodecError`.
    package func samples(at key: ObjectKey, user: UserID, sampleRate: Int) async throws -> Samples {
        let bytes = try await store.get(key, bytesMaximum: Self.objectBytesMax)
        return try decode(bytes, key: key, user: user, sampleRate: sampleRate)
    }

    private func decode(_ bytes: [UInt8], key: ObjectKey, user: UserID, sampleRate: Int) throws -> Samples {
        var bytes = bytes
        var name = key.text
        if name.hasSuffix(".enc") {
            guard let encryption else {
                throw AudioStorageError(.badSecret, "\(key) is encrypted, and no secret is configured")
            }
            bytes = try encryption.decrypt(bytes, of: user)
            name.removeLast(".enc".count)
            // `.enc` and `.batch.enc` hold raw samples; the others keep the suffix of what they hold.
            if !name.hasSuffix(".opus"), !name.hasSuffix(".ogg") { name += ".bin" }
        }
        if name.hasSuffix(".ogg") {
            let rate = OpusLibrary.sampleRates.contains(sampleRate) ? sampleRate : 48_000
            return Samples(sampleRate: rate, samples: try OggOpusReader.read(bytes).decode(sampleRate: rate))
        }
        if name.hasSuffix(".opus") {
            let rate = OpusLibrary.sampleRates.contains(sampleRate) ? sampleRate : 16_000
            return Samples(sampleRate: rate, samples: try OpusContainer(decoding: bytes).decode(sampleRate: rate))
        }
        guard name.hasSuffix(".bin") else {
            throw AudioStorageError(
                .unknownFormat,
                "\(key) is of no known format; allowed are .ogg .opus .bin and the same, or nothing, before .enc")
        }
        return Samples(sampleRate: sampleRate, samples: try PCM.samples(littleEndian: bytes))
    }
}
