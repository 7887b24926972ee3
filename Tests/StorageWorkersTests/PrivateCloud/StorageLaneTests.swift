import AudioCodecs
import AudioStorage
import AudioStreams
import Crypto
import EarshotModel
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import StorageWorkers

@Suite("Private-cloud worker", .timeLimit(.minutes(3)))
struct StorageLaneTests {
    /// Every frame is in exactly one part, the parts are objects, and the objects are what the events say.
    private func expectWhole(_ device: StorageFixture.Device, frames: UInt64, seconds: Double) throws {
        let parts = device.parts
        #expect(parts.map(\.part) == (0..<UInt64(parts.count)).map(\.self))
        #expect(parts.first?.firstSequence == 0 && parts.last?.lastSequence == frames - 1)
        for (left, right) in zip(parts, parts.dropFirst()) { #expect(right.firstSequence == left.lastSequence + 1) }
        #expect(abs(parts.reduce(0) { $0 + $1.seconds } - seconds) < 0.02)
        var played = 0.0
        for part in parts {
            let bytes = try #require(device.fixture.store.objects[try ObjectKey(part.object)])
            #expect(bytes.count == part.bytes)
            let sum = SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(sum == part.sha256)
            if part.format == .ogg, !part.isEncrypted { played += try OggOpusReader.read(bytes).seconds }
        }
        if parts.allSatisfy({ $0.format == .ogg && !$0.isEncrypted }) { #expect(abs(played - seconds) < 0.02) }
    }

    @Test("A session becomes parts of the length asked for, and ends when all of it is stored")
    func parts() async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        try await device.send(StorageFixture.packets(1_250), samples: 320)
        try await device.end()
        try await fixture.runWorker(fixture.services()) { try await device.isCompleted() }
        #expect(device.parts.map(\.lastSequence) == [499, 999, 1_249])
        try expectWhole(device, frames: 1_250, seconds: 25)
        #expect(fixture.store.puts.count == 3)
        #expect(device.parts[1].object.hasSuffix("/\(device.id)/000001-500-999.ogg"))
        #expect(device.parts[1].captureStart == StorageFixture.start + 10_000_000)
    }

    @Test("A gap that playback leaves out lies between two parts, however long parts may be; a shorter one is silence")
    func longGap() async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        try await device.send(StorageFixture.packets(100), samples: 320)
        device.captureTime += 60_000_000
        try await device.send(StorageFixture.packets(100), samples: 320)
        device.captureTime += 120_000_000
        try await device.send(StorageFixture.packets(100), samples: 320)
        try await device.end()
        try await fixture.runWorker(fixture.services(partSeconds: 300)) { try await device.isCompleted() }
        #expect(device.parts.map(\.lastSequence) == [199, 299])
        #expect(device.parts.map { Int($0.seconds.rounded()) } == [64, 2])
    }

    @Test("What vanished from the stream within a part is silence, and the event names its numbers for the ledger")
    func holes() async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        for count in [30, 12] {
            try await device.send(StorageFixture.packets(100), samples: 320)
            device.sequence += UInt64(count)
            device.captureTime += Int64(count) * 20_000
        }
        try await device.send(StorageFixture.packets(10), samples: 320)
        try await device.end()
        try await fixture.runWorker(fixture.services()) { try await device.isCompleted() }
        let event = try #require(device.events.first)
        #expect(event.missingFrames == [100...129, 230...241])
        #expect(event.audio?.lastSequence == 251)
        #expect(device.events.count == 1)
        try expectWhole(device, frames: 252, seconds: 5.04)
    }

    @Test("The numbers that a part lacks, at its bounds and between them")
    func missingNumbers() {
        var held = HeldPart(timeline: PartTimeline(start: 0, sampleRate: 16_000, granularity: 40), isEncrypted: false)
        for sequence: UInt64 in [2, 3, 7] {
            held.append(PartFrame(sequence: sequence, bytes: ByteBuffer(), samples: 320, captureTime: 0))
        }
        #expect(held.missing(in: 2...7) == [4...6])
        #expect(held.missing(in: 0...9) == [0...1, 4...6, 8...9])
    }

    @Test("How frames are batched changes no byte", arguments: [AudioCodec.opusFS320, .pcm16])
    func batching(codec: AudioCodec) async throws {
        var seen: [[ObjectKey: [UInt8]]] = []
        for framesAnEntry in [1, 12, 37] {
            let fixture = try await StorageFixture()
            var device = try await fixture.register("alice", codec: codec)
            let frames =
                try codec.isOpus
                ? StorageFixture.packets(220)
                : (0..<220).map { index in PCM.littleEndianBytes((0..<320).map { Int16($0 * 50 + index) }) }
            try await device.send(frames, samples: 320, framesAnEntry: framesAnEntry)
            try await device.end()
            try await fixture.runWorker(fixture.services(partSeconds: 2)) { try await device.isCompleted() }
            try expectWhole(device, frames: 220, seconds: 4.4)
            // The conversation's id is drawn anew.
            seen.append(
                Dictionary(
                    uniqueKeysWithValues: try fixture.store.objects.map {
                        (try ObjectKey($0.key.components.last ?? ""), $0.value)
                    }))
        }
        #expect(seen[0] == seen[1] && seen[1] == seen[2])
    }

    @Test("Bounds that were committed hold for the successor, whatever its settings are")
    func committedBounds() async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        try await device.send(StorageFixture.packets(800), samples: 320)
        try await device.end()
        let stuck = StuckObjectStore()
        let seen = SeenKey()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { for await key in stuck.keys.stream { seen.set(key) } }
            try await fixture.runWorker(fixture.services(store: stuck), abrupt: true) { seen.key != nil }
            tasks.cancelAll()
        }
        let state = try #require(
            try await fixture.handOff.session(device.id, group: .privateCloud, in: device.partition)?.progress)
        #expect(state.next == 0 && state.events == 0)
        #expect(try StorageState(decoding: state.state).bounds?.frames == 0...499)
        // The successor cuts every 3 s, in another format, but not this part.
        try await fixture.runWorker(fixture.services(partSeconds: 3, format: .omi)) { try await device.isCompleted() }
        #expect(device.parts.first?.object == seen.key?.text)
        #expect(device.parts.map(\.format) == [.ogg, .omi, .omi])
        try expectWhole(device, frames: 800, seconds: 16)
    }

    @Test(
        "Workers killed again and again store everything once, in the same bytes",
        arguments: [[1, 2], [2, 3, 4], [1, 4]])
    func kills(after counts: [Int]) async throws {
        let packets = try StorageFixture.packets(1_000)
        func run(_ kills: [Int]) async throws -> [StoredAudioPart] {
            let fixture = try await StorageFixture()
            var device = try await fixture.register("alice")
            try await device.send(packets, samples: 320)
            try await device.end()
            for count in kills {
                try await fixture.runWorker(fixture.services(partSeconds: 4), abrupt: true) {
                    fixture.store.puts.count >= count
                }
            }
            try await fixture.runWorker(fixture.services(partSeconds: 4)) { try await device.isCompleted() }
            try expectWhole(device, frames: 1_000, seconds: 20)
            #expect(Set(fixture.store.puts).count == 5, "a part that is written again is the same object")
            return device.parts
        }
        let reference = try await run([])
        #expect(try await run(counts).map(\.sha256) == reference.map(\.sha256))
    }

    @Test("A store that fails for one user loses nothing and holds nobody else up")
    func storeFails() async throws {
        let fixture = try await StorageFixture()
        var alice = try await fixture.register("alice", number: 1)
        var bob = try await fixture.register("bob", number: 2)
        fixture.store.fail(ObjectStoreError(.refused, "403"), prefix: "audio/alice/")
        for _ in 0..<3 {
            try await alice.send(StorageFixture.packets(250), samples: 320)
            try await bob.send(StorageFixture.packets(250), samples: 320)
        }
        try await bob.end()
        try await fixture.runWorker(fixture.services(partSeconds: 5)) {
            guard try await bob.isCompleted() else { return false }
            try await alice.end()
            return true
        }
        #expect(alice.parts.isEmpty)
        try expectWhole(bob, frames: 750, seconds: 15)
        fixture.store.fail(nil)
        try await fixture.runWorker(fixture.services(partSeconds: 5)) { try await alice.isCompleted() }
        try expectWhole(alice, frames: 750, seconds: 15)
        #expect(fixture.handOff.deadLetters(of: .privateCloud, in: alice.partition).isEmpty)
    }

    @Test("C6: what waits for a store for long is parked, so that trimming goes on, and stored in the same bytes")
    func parked() async throws {
        func run(parkAfter: Duration, isAway: Bool) async throws -> [StoredAudioPart] {
            let fixture = try await StorageFixture(parkAfter: parkAfter)
            var device = try await fixture.register("alice")
            let packets = try StorageFixture.packets(1_000)
            if isAway { fixture.store.fail(ObjectStoreError(.unavailable, "503"), prefix: "audio/") }
            try await device.send(Array(packets[..<600]), samples: 320)
            try await fixture.runWorker(fixture.services(partSeconds: 4)) {
                guard isAway else { return !device.parts.isEmpty }
                let lag = try await fixture.handOff.lag(
                    of: .privateCloud, stream: .audio, in: [device.partition])
                return lag.first.map { $0.parkedEntries > 0 && $0.entries == 0 } ?? false
            }
            #expect(device.parts.isEmpty == isAway)
            // More comes while it is away, and another worker goes on once the store is back.
            try await device.send(Array(packets[600...]), samples: 320)
            try await device.end()
            fixture.store.fail(nil)
            try await fixture.runWorker(fixture.services(partSeconds: 4)) { try await device.isCompleted() }
            try expectWhole(device, frames: 1_000, seconds: 20)
            return device.parts
        }
        let parked = try await run(parkAfter: .milliseconds(300), isAway: true)
        #expect(try await run(parkAfter: .seconds(300), isAway: false).map(\.sha256) == parked.map(\.sha256))
    }

    @Test("Ids a back end may choose are stored under; what no object can be named after waits for nobody")
    func unnameable() async throws {
        let fixture = try await StorageFixture()
        var named = try await fixture.register("alice", number: 1, conversation: "user:42")
        var nameless = try await fixture.register("bob", number: 2, conversation: "../talk")
        for _ in 0..<2 {
            try await named.send(StorageFixture.packets(12), samples: 320)
            try await nameless.send(StorageFixture.packets(12), samples: 320)
        }
        try await named.end()
        try await nameless.end()
        try await fixture.runWorker(fixture.services()) {
            let isNamedDone = try await named.isCompleted()
            let isNamelessDone = try await nameless.isCompleted()
            return isNamedDone && isNamelessDone
        }
        try expectWhole(named, frames: 24, seconds: 0.48)
        #expect(named.parts.first?.object.hasPrefix("audio/alice/user:42/") == true)
        #expect(nameless.parts.isEmpty)
        let dead = fixture.handOff.deadLetters(of: .privateCloud, in: nameless.partition)
        #expect(dead.count == 2, "every entry of it, where it can be found")
    }

    @Test("A part is as old as it is long when it is stored as short as it is")
    func partAge() async throws {
        #expect(try await StorageFixture().services(partSeconds: 60).partAge == .seconds(60))
    }

    @Test("A store that comes back is used by the lanes that wait")
    func storeRecovers() async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        fixture.store.fail(ObjectStoreError(.unavailable, "503"))
        try await device.send(StorageFixture.packets(400), samples: 320)
        try await device.end()
        let guarded = GuardedObjectStore(fixture.store)
        let failed = Mutex(0)
        try await fixture.runWorker(
            fixture.services(store: guarded, partSeconds: 2) { _, _ in
                failed.withLock { $0 += 1 }
                return UserSettings()
            }
        ) {
            if failed.withLock(\.self) >= 1 { fixture.store.fail(nil) }
            return try await device.isCompleted()
        }
        try expectWhole(device, frames: 400, seconds: 8)
    }

    @Test("A part that is old is stored without waiting for more audio")
    func age() async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        try await device.send(StorageFixture.packets(20), samples: 320)
        try await fixture.runWorker(fixture.services(partSeconds: 1)) { device.parts.count == 1 }
        #expect(device.parts.first?.lastSequence == 19)
    }

    @Test("A worker that is stopped stores what it holds before it goes")
    func handOver() async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        try await device.send(StorageFixture.packets(100), samples: 320)
        let isHeld = Mutex(false)
        try await fixture.runWorker(
            fixture.services { _, _ in
                isHeld.withLock { $0 = true }
                return UserSettings()
            }
        ) { isHeld.withLock(\.self) }
        try await device.send(StorageFixture.packets(50), samples: 320)
        try await device.end()
        try await fixture.runWorker(fixture.services()) { try await device.isCompleted() }
        try expectWhole(device, frames: 150, seconds: 3)
    }

    @Test("Short pauses are silence, also at a part's edge; long ones lie between parts")
    func pauses() async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        for pause in [Int64(0), 3_000_000, 4_000_000, 60_000_000] {
            device.captureTime += pause
            try await device.send(StorageFixture.packets(200), samples: 320)
        }
        try await device.end()
        try await fixture.runWorker(fixture.services()) { try await device.isCompleted() }
        // 4 s, 3 s of silence, 3 s | 1 s, 4 s of silence, 4 s | 4 s.
        #expect(device.parts.map(\.lastSequence) == [349, 599, 799])
        try expectWhole(device, frames: 800, seconds: 23)
        let last = try #require(device.parts.last)
        #expect(last.captureStart == StorageFixture.start + 79_000_000)
    }

    @Test("Packets that are none are counted, kept in time, and never given up")
    func corrupt() async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        var packets = try StorageFixture.packets(100)
        packets[10] = [0xB9, 1]
        packets[60] = [0xFB, 0xC5, 1, 2]
        try await device.send(packets, samples: 320)
        try await device.end()
        try await fixture.runWorker(fixture.services()) { try await device.isCompleted() }
        #expect(device.parts.count == 1 && device.parts[0].lastSequence == 99)
        #expect(fixture.handOff.deadLetters(of: .privateCloud, in: device.partition).isEmpty)
        let state = try await fixture.handOff.session(device.id, group: .privateCloud, in: device.partition)?.progress
        let corrupt = try StorageState(decoding: try #require(state).state).corruptFrames
        #expect(corrupt == 2)
    }

    @Test(
        "Enhanced protection encrypts either format; without a secret the lane waits",
        arguments: [
            StoredAudioPart.Format.ogg, .omi,
        ])
    func enhanced(format: StoredAudioPart.Format) async throws {
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        try await device.send(StorageFixture.packets(120), samples: 320)
        try await device.end()
        let settings: @Sendable (UserID, Partition) async throws -> UserSettings = { _, _ in
            UserSettings(isStorageOn: true, protection: .enhanced)
        }
        try await fixture.runWorker(fixture.services(format: format, settings: settings), abrupt: true) {
            let session = try await fixture.handOff.session(device.id, group: .privateCloud, in: device.partition)
            return session?.progress.state.isEmpty == false
        }
        #expect(fixture.store.objects.isEmpty)
        let encryption = try AudioEncryption(secret: String(repeating: "x", count: 32))
        try await fixture.runWorker(fixture.services(format: format, encryption: encryption, settings: settings)) {
            try await device.isCompleted()
        }
        let part = try #require(device.parts.first)
        #expect(part.isEncrypted && part.object.hasSuffix(".enc"))
        let read = try await StoredAudioReader(store: fixture.store, encryption: encryption).samples(
            of: part, user: device.user)
        #expect(read.samples.count == 120 * 320)
    }

    @Test("Settings that cannot be read make the lane wait")
    func noSettings() async throws {
        struct Away: Error {}
        let fixture = try await StorageFixture()
        var device = try await fixture.register("alice")
        try await device.send(StorageFixture.packets(20), samples: 320)
        try await device.end()
        let asked = Mutex(0)
        try await fixture.runWorker(
            fixture.services { _, _ in
                let count = asked.withLock { count in
                    count += 1
                    return count
                }
                guard count > 2 else { throw Away() }
                return UserSettings()
            }
        ) { try await device.isCompleted() }
        try expectWhole(device, frames: 20, seconds: 0.4)
    }

    @Test("The state survives its bytes, and others are refused")
    func state() throws {
        var state = StorageState()
        #expect(try StorageState(decoding: state.encoded) == state)
        state.part = 7
        state.corruptFrames = 3
        state.storedUpTo = 1_760_000_000_000_001
        state.leadIn = [[1, 2, 3], [], [UInt8](repeating: 9, count: 300)]
        #expect(try StorageState(decoding: state.encoded) == state)
        state.bounds = .init(frames: 5...99, format: .omi, isEncrypted: true, start: -4)
        #expect(try StorageState(decoding: state.encoded) == state)
        #expect(throws: StorageState.UnreadableState.self) { try StorageState(decoding: [9, 1]) }
        #expect(throws: StorageState.UnreadableState.self) {
            try StorageState(decoding: Array(state.encoded.dropLast(3)))
        }
    }
}
