import Crypto
package import EarshotModel
import FoundationEssentials

/// Encrypts stored audio with a key of its user (omi.md section 5).
///
/// The key is HKDF-SHA256 over the deployment's secret with the user's id as salt. A record is a big-endian 32-bit
/// length, a nonce of 12 bytes, and AES-256-GCM ciphertext with its tag; records stand behind each other.
///
/// Nonces are derived, not drawn, so that a replay writes the same bytes: the HMAC, under a second key of the user, of
/// what the record is (session, part, number) and of the SHA-256 of its plaintext. A nonce repeats only together with
/// its plaintext, so that even two builds of a codec that make different bytes of the same audio never share one, and
/// to anybody without the secret it is as good as random. What an observer learns is that two writes were equal, which
/// the object's key says anyway.
package struct AudioEncryption: Sendable {
    private let secret: SymmetricKey

    /// The least a secret may hold, as upstream demands.
    package static let secretBytesMinimum = 32
    /// Plaintext of one record: a record is decrypted whole, so this bounds what that takes.
    package static let recordBytesMax = 8 << 20
    private static let nonceBytes = 12
    private static let tagBytes = 16

    /// Names a record among all of a deployment.
    package struct RecordName: Sendable {
        let session: SessionID
        let part: UInt64

        /// Names the records of a part.
        package init(session: SessionID, part: UInt64) {
            self.session = session
            self.part = part
        }
    }

    /// Takes a secret.
    ///
    /// - Throws: `AudioStorageError` with `badSecret` when it is too short.
    package init(secret: String) throws(AudioStorageError) {
        guard secret.utf8.count >= Self.secretBytesMinimum else {
            throw AudioStorageError(
                .badSecret,
                "the encryption secret has \(secret.utf8.count) bytes; at least \(Self.secretBytesMinimum) are needed")
        }
        self.secret = SymmetricKey(data: Array(secret.utf8))
    }

    private func key(_ user: UserID, info: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: secret, salt: Array(user.text.utf8), info: Array(info.utf8), outputByteCount: 32)
    }

    /// The user's key; internal for the contract's vector.
    func dataKey(of user: UserID) -> SymmetricKey { key(user, info: "user-data-encryption") }

    /// Encrypts a part as one or more records.
    package func encrypt(
        _ plaintext: [UInt8], of user: UserID, named name: RecordName
    ) throws(AudioStorageError) -> [UInt8] {
        let dataKey = dataKey(of: user)
        let nonceKey = key(user, info: "earshot-record-nonce")
        var output: [UInt8] = []
        output.reserveCapacity(plaintext.count + 64)
        var start = 0
        var number: UInt64 = 0
        repeat {
            let chunk = plaintext[start..<min(plaintext.count, start + Self.recordBytesMax)]
            let nonce = Self.nonce(nonceKey, name, number, chunk)
            output += try Self.record(chunk, key: dataKey, nonce: nonce)
            start += chunk.count
            number += 1
        } while start < plaintext.count
        return output
    }

    private static func nonce(
        _ key: SymmetricKey, _ name: RecordName, _ number: UInt64, _ chunk: ArraySlice<UInt8>
    ) -> [UInt8] {
        var mac = HMAC<SHA256>(key: key)
        mac.update(data: name.session.value.bytes)
        mac.update(data: bigEndian(name.part) + bigEndian(number))
        mac.update(data: Array(SHA256.hash(data: chunk)))
        return Array(mac.finalize()).prefix(nonceBytes).map(\.self)
    }

    /// One record with a given nonce.
    static func record(
        _ plaintext: ArraySlice<UInt8>, key: SymmetricKey, nonce: [UInt8]
    ) throws(AudioStorageError) -> [UInt8] {
        do {
            let box = try AES.GCM.seal(plaintext, using: key, nonce: AES.GCM.Nonce(data: nonce))
            let count = UInt32(nonce.count + box.ciphertext.count + box.tag.count)
            return bigEndian(count) + nonce + Array(box.ciphertext) + Array(box.tag)
        } catch {
            throw AudioStorageError(.encryptionFailed, "a record could not be encrypted: \(error)")
        }
    }

    /// Decrypts all records of an object.
    ///
    /// - Throws: `AudioStorageError` with `undecryptable` when a record is cut off, was changed, or belongs to another
    ///   key.
    package func decrypt(_ bytes: [UInt8], of user: UserID) throws(AudioStorageError) -> [UInt8] {
        let key = dataKey(of: user)
        var plaintext: [UInt8] = []
        plaintext.reserveCapacity(bytes.count)
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { throw Self.truncated }
            let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard count >= Self.nonceBytes + Self.tagBytes, count <= rest.count else { throw Self.truncated }
            let record = rest.prefix(count)
            rest = rest.dropFirst(count)
            guard let box = try? AES.GCM.SealedBox(combined: record), let opened = try? AES.GCM.open(box, using: key)
            else {
                throw AudioStorageError(
                    .undecryptable, "a record cannot be decrypted: it was changed, or the secret is another")
            }
            plaintext += opened
        }
        return plaintext
    }

    private static let truncated = AudioStorageError(.undecryptable, "an encrypted object is cut off inside a record")

    private static func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
