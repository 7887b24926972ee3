import AudioCodecs
import EarshotModel
import NIOCore
import Testing

@testable import AudioStorage

@Suite("Parts in the omi format")
struct OmiPartTests {
    @Test("PCM is stored as it came, 8-bit widened, with silence in gaps")
    func pcm() throws {
        let audio = try DeviceAudio(.pcm16, sampleRate: 16_000, frameSamples: 321, seconds: 2)
        #expect(
            try audio.parts(cutBefore: [40], format: .omi).flatMap(\.bytes)
                == audio.frames.flatMap { Array($0.bytes.readableBytesView) })
        let narrow = try DeviceAudio(
            .pcm8, sampleRate: 8_000, frameSamples: 160, seconds: 1, pauses: [25: 1_000_000])
        let bytes = try narrow.parts(cutBefore: [], format: .omi)[0].bytes
        let widened = narrow.frames.map { PCM.littleEndianBytes(PCM.widen8($0.bytes.readableBytesView)) }
        #expect(
            bytes == widened[..<25].flatMap(\.self) + [UInt8](repeating: 0, count: 16_000)
                + widened[25...].flatMap(\.self))
    }

    @Test("Opus is decoded once; a part begins as if its decoder had heard the one before", arguments: [160, 320, 960])
    func opus(frame: Int) throws {
        let audio = try DeviceAudio(.opus, sampleRate: 16_000, frameSamples: frame, seconds: 4)
        var decoder = try OpusDecoder(sampleRate: 16_000)
        var continuous: [Int16] = []
        for frame in audio.frames { try decoder.decode(frame.bytes.readableBytesView, into: &continuous) }
        let parts = try audio.parts(cutBefore: [audio.frames.count / 2], format: .omi)
        let stored = try PCM.samples(littleEndian: parts.flatMap(\.bytes))
        #expect(stored.count == continuous.count)
        #expect(fidelity(of: stored[...], to: continuous[...]) > 25)
    }

    @Test("A packet that cannot be decoded is silence, and is counted")
    func corrupt() throws {
        let audio = try DeviceAudio(.opus, sampleRate: 16_000, frameSamples: 320, seconds: 1)
        let encoder = try PartEncoder(audio.specification(format: .omi))
        for (index, frame) in audio.frames.enumerated() {
            let bytes = index == 20 ? ByteBuffer(bytes: [0xB9, 1, 2]) : frame.bytes
            try encoder.append(
                PartFrame(sequence: frame.sequence, bytes: bytes, samples: 320, captureTime: frame.captureTime))
        }
        let part = try encoder.finish()
        #expect(part.bytes.count == audio.samples.count * 2)
        #expect(part.corruptFrames <= 1)
    }

    @Test("The objects have the contract's keys; the same part written again is the same object")
    func keys() async throws {
        let audio = try DeviceAudio(.pcm16, sampleRate: 16_000, frameSamples: 320, seconds: 1)
        let memory = InMemoryObjectStore()
        let store = PartStore(
            store: memory, encryption: try AudioEncryption(secret: String(repeating: "k", count: 32)))
        let part = try audio.parts(cutBefore: [], format: .omi)[0]
        let specification = audio.specification(format: .omi)
        let stored = try await store.store(part, specification, frames: 0...49)
        #expect(try await store.store(part, specification, frames: 0...49) == stored)
        let directory = "chunks/alice/0199d6a0-0000-7000-8000-000000000001"
        #expect(stored.object == "\(directory)/1760000000.123.batch.bin")
        // Another session's part of the same millisecond replaces nothing.
        let other = try DeviceAudio(.pcm16, sampleRate: 16_000, frameSamples: 320, seconds: 2).parts(
            cutBefore: [], format: .omi)[0]
        let second = try await store.store(other, specification, frames: 0...99)
        #expect(second.object == "\(directory)/1760000000.124.batch.bin")
        #expect(try await store.store(other, specification, frames: 0...99) == second)
        let encrypted = try await store.store(
            part, audio.specification(format: .omi, isEncrypted: true), frames: 0...49)
        #expect(encrypted.object == "\(directory)/1760000000.123.batch.enc")
        #expect(memory.objects.count == 3)
        let reader = StoredAudioReader(
            store: memory, encryption: try AudioEncryption(secret: String(repeating: "k", count: 32)))
        let user = try #require(UserID("alice"))
        for part in [stored, encrypted] {
            #expect(try await reader.samples(of: part, user: user).samples == audio.samples)
        }
    }

    @Test("A part that must be encrypted is never written plainly")
    func noSecret() async throws {
        let audio = try DeviceAudio(.pcm16, sampleRate: 16_000, frameSamples: 320, seconds: 0.5)
        let memory = InMemoryObjectStore()
        let part = try audio.parts(cutBefore: [])[0]
        await #expect(throws: AudioStorageError.self) {
            try await PartStore(store: memory, encryption: nil).store(
                part, audio.specification(isEncrypted: true), frames: 0...1)
        }
        #expect(memory.objects.isEmpty)
    }

    @Test("The Opus container comes back, and its damage is an error")
    func container() throws {
        let audio = try DeviceAudio(.opus, sampleRate: 16_000, frameSamples: 320, seconds: 1)
        let packets = audio.frames.map { Array($0.bytes.readableBytesView) }
        let container = OpusContainer(pcmBytes: audio.samples.count * 2 - 200, packets: packets)
        let bytes = container.encoded
        #expect(Array(bytes[..<4]) == [50, 0, 0, 0])
        #expect(try OpusContainer(decoding: bytes) == container)
        #expect(try container.decode(sampleRate: 16_000).count == audio.samples.count - 100)
        for end in [0, 3, 7, 9, bytes.count - 1] {
            #expect(throws: AudioStorageError.self) { try OpusContainer(decoding: Array(bytes[..<end])) }
        }
        #expect(throws: AudioStorageError.self) { try OpusContainer(decoding: bytes + [0]) }
    }

    @Test("Every kind of object of an existing bucket is read by its name")
    func everyName() async throws {
        let audio = try DeviceAudio(.opus, sampleRate: 16_000, frameSamples: 320, seconds: 1)
        let encryption = try AudioEncryption(secret: String(repeating: "k", count: 32))
        let user = try #require(UserID("alice"))
        let name = AudioEncryption.RecordName(session: SessionID(UniqueID(high: 0, low: 1)), part: 0)
        let raw = PCM.littleEndianBytes(audio.samples)
        let opus = OpusContainer(
            pcmBytes: audio.samples.count * 2, packets: audio.frames.map { Array($0.bytes.readableBytesView) }
        ).encoded
        let ogg = try audio.parts(cutBefore: [])[0].bytes
        let memory = InMemoryObjectStore()
        for (suffix, bytes) in [
            "bin": raw, "batch.bin": raw, "opus": opus, "ogg": ogg,
            "enc": try encryption.encrypt(raw, of: user, named: name),
            "batch.enc": try encryption.encrypt(raw, of: user, named: name),
            "opus.enc": try encryption.encrypt(opus, of: user, named: name),
            "ogg.enc": try encryption.encrypt(ogg, of: user, named: name),
        ] {
            let key = try ObjectKey("chunks/alice/c/1.5.\(suffix)")
            try await memory.put(bytes, at: key, contentType: PartKey.octets, condition: .always)
            let reader = StoredAudioReader(store: memory, encryption: encryption)
            let read = try await reader.samples(at: key, user: user, sampleRate: 16_000)
            #expect(read.samples.count == audio.samples.count && read.sampleRate == 16_000, "\(suffix)")
        }
        let key = try ObjectKey("chunks/alice/c/1.mp3")
        try await memory.put(raw, at: key, contentType: PartKey.octets, condition: .always)
        await #expect(throws: AudioStorageError.self) {
            try await StoredAudioReader(store: memory, encryption: nil).samples(at: key, user: user, sampleRate: 16_000)
        }
    }
}
