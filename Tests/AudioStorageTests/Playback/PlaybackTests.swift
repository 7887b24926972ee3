import AudioStorage
import EarshotModel
import Testing

@Suite("Playback")
struct PlaybackTests {
    private func part(_ session: String, _ number: UInt64, _ start: Double, _ end: Double) -> PlaybackPlan.Part {
        PlaybackPlan.Part(
            session: session, number: number, captureStart: Int64(start * 1_000_000),
            captureEnd: Int64(end * 1_000_000))
    }

    @Test("Parts lie at their capture times; gaps of more than 90 seconds are left out")
    func plan() {
        let plan = PlaybackPlan([
            part("b", 0, 1_000, 1_060), part("a", 1, 160, 170), part("a", 0, 100, 160), part("a", 2, 260, 300),
            part("c", 0, 165, 200),
        ])
        #expect(plan.spans.map(\.fileStart) == [0, 200_000_000])
        #expect(plan.spans.map(\.captureStart) == [100_000_000, 1_000_000_000])
        #expect(plan.spans.map(\.duration) == [200_000_000, 60_000_000])
        #expect(plan.places.map(\.part) == [2, 1, 4, 3, 0])
        #expect(plan.places.map(\.fileStart) == [0, 60_000_000, 65_000_000, 160_000_000, 200_000_000])
    }

    @Test("A gap of exactly 90 seconds stays")
    func boundary() {
        #expect(PlaybackPlan([part("a", 0, 0, 10), part("a", 1, 100, 110)]).spans.count == 1)
        #expect(PlaybackPlan([part("a", 0, 0, 10), part("a", 1, 100.000_001, 110)]).spans.count == 2)
        #expect(PlaybackPlan([]).spans.isEmpty)
    }

    @Test("Voices that overlap are added, gaps are silent, and seams within a session are closed")
    func mix() throws {
        var mix = ConversationMix(sampleRate: 1_000 * 8)
        func samples(_ value: Int16, _ count: Int) -> StoredAudioReader.Samples {
            StoredAudioReader.Samples(sampleRate: 8_000, samples: [Int16](repeating: value, count: count))
        }
        try mix.add(samples(100, 8_000), session: "a", number: 0, at: 0)
        try mix.add(samples(200, 8_000), session: "a", number: 1, at: 1_000_030)
        try mix.add(samples(32_000, 4_000), session: "b", number: 0, at: 1_500_000)
        try mix.add(samples(32_000, 4_000), session: "c", number: 0, at: 1_500_000)
        try mix.add(samples(7, 80), session: "a", number: 2, at: 3_000_000)
        #expect(mix.samples.count == 24_080)
        #expect(mix.samples[7_999] == 100 && mix.samples[8_000] == 200)
        #expect(mix.samples[12_000] == .max && mix.samples[16_000] == 0 && mix.samples[23_999] == 0)
        #expect(mix.samples[24_000] == 7)
    }

    @Test("Longer than a file can be is refused")
    func tooLong() throws {
        var mix = ConversationMix(sampleRate: 16_000)
        let part = StoredAudioReader.Samples(sampleRate: 16_000, samples: [1])
        let error = #expect(throws: AudioStorageError.self) {
            try mix.add(part, session: "a", number: 0, at: 40 * 3_600 * 1_000_000)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("An object that is not what the record names is refused")
    func checksum() async throws {
        let audio = try DeviceAudio(.opus, sampleRate: 16_000, frameSamples: 160, seconds: 1)
        let memory = InMemoryObjectStore()
        let stored = try await PartStore(store: memory, encryption: nil).store(
            try audio.parts(cutBefore: [])[0], audio.specification(), frames: 0...99)
        let reader = StoredAudioReader(store: memory, encryption: nil)
        let user = try #require(UserID("alice"))
        #expect(try await reader.samples(of: stored, user: user).samples.count == audio.samples.count)
        var changed = stored
        changed.sha256 = String(repeating: "0", count: 64)
        let error = await #expect(throws: AudioStorageError.self) { try await reader.samples(of: changed, user: user) }
        #expect(error?.code == .corrupt)
    }
}
