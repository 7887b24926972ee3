import Crypto
import EarshotModel
import Testing

@testable import AudioStorage

@Suite("Encryption of stored audio")
struct AudioEncryptionTests {
    private let name = AudioEncryption.RecordName(session: SessionID(UniqueID(high: 1, low: 2)), part: 3)

    private func user(_ text: String) throws -> UserID { try #require(UserID(text)) }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("The contract's vector: the key, and a record with a given nonce (omi.md section 5)")
    func vector() throws {
        let encryption = try AudioEncryption(secret: "0123456789abcdef0123456789abcdef")
        let key = encryption.dataKey(of: try user("user-1"))
        #expect(
            key.withUnsafeBytes { hexadecimal(Array($0)) }
                == "5ed9c51e47a27c33a199cc2cd079a685d1569bb8b6d45a32a2b81d9fd525aa66")
        let record = try AudioEncryption.record(Array("hello".utf8)[...], key: key, nonce: Array(0..<12))
        #expect(
            hexadecimal(record) == "00000021" + "000102030405060708090a0b"
                + "f86958c1c86665955f8386b69a944a1e60c57f6c24")
        #expect(try encryption.decrypt(record + record, of: user("user-1")) == Array("hellohello".utf8))
    }

    @Test("A replay writes the same bytes; another part, session, user or plaintext has another nonce")
    func nonces() throws {
        let encryption = try AudioEncryption(secret: String(repeating: "s", count: 32))
        let alice = try user("alice")
        let plain = [UInt8](repeating: 7, count: 1_000)
        let first = try encryption.encrypt(plain, of: alice, named: name)
        #expect(try encryption.encrypt(plain, of: alice, named: name) == first)
        let others = [
            try encryption.encrypt(plain, of: alice, named: .init(session: name.session, part: 4)),
            try encryption.encrypt(
                plain, of: alice, named: .init(session: SessionID(UniqueID(high: 1, low: 3)), part: 3)),
            try encryption.encrypt(plain, of: user("bob"), named: name),
            try encryption.encrypt(plain + [1], of: alice, named: name),
        ]
        #expect(Set(([first] + others).map { Array($0[4..<16]) }).count == 5)
    }

    @Test("Nothing and more than one record come back", arguments: [0, 1, AudioEncryption.recordBytesMax + 5])
    func roundTrip(count: Int) throws {
        let encryption = try AudioEncryption(secret: String(repeating: "s", count: 40))
        let alice = try user("alice")
        let plain = [UInt8](repeating: 9, count: count)
        #expect(try encryption.decrypt(encryption.encrypt(plain, of: alice, named: name), of: alice) == plain)
    }

    @Test("What was changed, cut off, or belongs to somebody else is not decrypted")
    func tampered() throws {
        let encryption = try AudioEncryption(secret: String(repeating: "s", count: 32))
        let alice = try user("alice")
        let bytes = try encryption.encrypt(Array("some audio".utf8), of: alice, named: name)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(throws: AudioStorageError.self) { try encryption.decrypt(changed, of: alice) }
            if index > 0 {
                #expect(throws: AudioStorageError.self) { try encryption.decrypt(Array(bytes[..<index]), of: alice) }
            }
        }
        #expect(throws: AudioStorageError.self) { try encryption.decrypt(bytes, of: user("bob")) }
        let other = try AudioEncryption(secret: String(repeating: "t", count: 32))
        #expect(throws: AudioStorageError.self) { try other.decrypt(bytes, of: alice) }
    }

    @Test("A secret of less than 32 bytes is refused without showing it")
    func shortSecret() {
        let error = #expect(throws: AudioStorageError.self) { try AudioEncryption(secret: "too-short-a-secret") }
        #expect(error?.code == .badSecret && error?.message.contains("too-short") == false)
    }
}
