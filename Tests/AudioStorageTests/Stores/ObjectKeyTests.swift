import AudioStorage
import EarshotModel
import Testing

@Suite("Object keys")
struct ObjectKeyTests {
    @Test(
        "Parts that are not plain names are refused",
        arguments: [
            "..", ".", "", "a/b", "../x", ".hidden", "a\u{0}b", "a\nb", "a b", "a%2fb", "ü", "a\\b", "a\u{7F}",
            String(repeating: "x", count: 201),
        ])
    func refused(component: String) {
        let error = #expect(throws: ObjectStoreError.self) { try ObjectKey(["audio", component, "x"]) }
        #expect(error?.code == .invalidKey)
        #expect(error?.message.contains("\n") == false)
    }

    @Test(
        "Texts with such parts are refused, too",
        arguments: ["/a", "a/", "a//b", "a/../b", "..", "", "a/./b", String(repeating: "abcdefgh/", count: 110) + "x"])
    func refusedText(text: String) {
        #expect(throws: ObjectStoreError.self) { try ObjectKey(text) }
    }

    @Test(
        "Whatever the back-end door takes as a conversation's id makes a key, as it stands",
        arguments: [
            "c1", "0199d6a0-0000-7000-8000-000000000001", "user:42:talk", "-.", "_", "a.b", ":",
            String(repeating: "Zz9:._-0", count: 16),
        ])
    func conversations(id: String) throws {
        let name = try #require(ConversationName(id))
        var specification = try DeviceAudio(.opus, sampleRate: 16_000, frameSamples: 160, seconds: 0.1)
            .specification(part: 0, isEncrypted: false)
        specification.conversation = name.text
        try PartKey.check(conversation: name.text)
        #expect(try PartKey.native(specification, frames: 0...1).components[2] == id)
        let omi = try PartKey.omi(specification, milliseconds: 1).text
        #expect(omi == "chunks/alice/\(id)/0.001.batch.bin")
        #expect(try ObjectKey(omi).text == omi)
    }

    @Test(
        "What makes no key is no conversation's id, and no part of an object",
        arguments: ["", ".", "..", ".a", "a/b", "a b", "a\u{0}", "ä", String(repeating: "x", count: 201)])
    func noConversation(id: String) {
        #expect(ConversationName(id) == nil)
        let error = #expect(throws: ObjectStoreError.self) { try PartKey.check(conversation: id) }
        #expect(error?.code == .invalidKey)
    }

    @Test("A part's key is made of checked ids only")
    func partKey() throws {
        let audio = try DeviceAudio(.opus, sampleRate: 16_000, frameSamples: 160, seconds: 0.1)
        var specification = audio.specification(part: 42, isEncrypted: true)
        #expect(
            try PartKey.native(specification, frames: 7...9).text
                == "audio/alice/0199d6a0-0000-7000-8000-000000000001/00000000-0000-1234-0000-000000005678/"
                + "000042-7-9.ogg.enc")
        #expect(
            try PartKey.omi(specification, milliseconds: 1_700_000_000_007).text
                == "chunks/alice/0199d6a0-0000-7000-8000-000000000001/1700000000.007.batch.enc")
        for conversation in ["../../etc", "a/b", "", "..", "c\r\nx"] {
            specification.conversation = conversation
            #expect(throws: ObjectStoreError.self) { try PartKey.native(specification, frames: 0...1) }
            #expect(throws: ObjectStoreError.self) { try PartKey.omi(specification, milliseconds: 1) }
        }
    }
}
