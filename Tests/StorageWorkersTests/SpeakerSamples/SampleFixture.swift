import AudioCodecs
import AudioStorage
import AudioStreams
import Crypto
import EarshotModel
import Foundation
import Logging
import NIOCore
import ServiceLifecycle
import SessionRecord
import SpeechRecognition
import TestSupport
import WorkerRuntime

@testable import StorageWorkers

/// One user's conversation with stored audio, and workers that learn voices from it.
struct SampleFixture {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    let handOff: InMemoryHandOff
    let record = InMemorySessionRecord()
    let voices = InMemoryVoiceRecord()
    let store = InMemoryObjectStore()
    let user: UserID
    let partition = Partition(0)
    let session = SessionID.new(at: 0)
    let conversation = "conversation-1"
    /// Unix µs of the conversation's beginning.
    let origin: Int64 = 1_700_000_000_000_000
    var limits = SampleLimits()
    var isStorageOn = true
    var recognizer: any SpeechRecognizer
    var embedder: any VoiceEmbedder

    private let fleetLimits: Limits

    init(recognizer: any SpeechRecognizer, embedder: any VoiceEmbedder) async throws {
        var fleet = Limits()
        fleet.heartbeatInterval = .milliseconds(20)
        fleet.leaseLapse = .milliseconds(300)
        fleetLimits = fleet
        handOff = InMemoryHandOff(limits: fleet)
        guard let user = UserID("alice") else { throw Missing(description: "no user") }
        self.user = user
        self.recognizer = recognizer
        self.embedder = embedder
        limits.age = .milliseconds(200)
        limits.scanInterval = .milliseconds(50)
        limits.retryInterval = .milliseconds(100)
        limits.recordWaitMaximum = .milliseconds(500)
        _ = try await handOff.enable(
            EnabledGroups(audio: [], events: [.record], samples: [.speakerSample]), in: [partition])
    }

    /// Stores audio as one part of the session.
    func store(_ samples: [Int16], sampleRate: Int = 16_000) async throws {
        let bytes = PCM.littleEndianBytes(samples)
        let key = try ObjectKey([user.text, "part.bin"])
        try await store.put(bytes, at: key, contentType: "application/octet-stream", condition: .always)
        let seconds = Double(samples.count) / Double(sampleRate)
        var event = SessionEvent(
            type: .audioStored, group: "private-cloud", uid: user.text, session: session, conversation: conversation,
            time: origin, ordinal: 1)
        event.audio = StoredAudioPart(
            part: 0, firstSequence: 0, lastSequence: 9, object: key.text, format: .omi, isEncrypted: false,
            bytes: bytes.count, sha256: SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined(),
            sampleRate: sampleRate, captureStart: origin, captureEnd: origin + Int64(seconds * 1_000_000),
            seconds: seconds)
        try await record.write([event])
    }

    /// Makes the session known to the registry, as one whose audio is stored.
    func register() async throws {
        _ = try await handOff.register(
            SessionRegistration(
                session: session, user: user, gateway: Incarnation(startingAs: "gateway-0"), now: origin,
                parameters: SessionParameters(codec: .pcm16, sampleRate: 16_000, flags: [.privateCloud])),
            in: partition)
    }

    /// A segment of the session.
    func segment(_ number: UInt64, _ text: String, _ times: ClosedRange<Double>, speaker: Int = 0) -> PlacedSegment {
        var segment = TranscriptSegment(
            id: SegmentID.of(session: session, ordinal: number), text: text, start: times.lowerBound,
            end: times.upperBound, sttProvider: nil)
        segment.speakerID = speaker
        return PlacedSegment(segment: segment, session: session.description, origin: origin)
    }

    func request(
        _ segments: [PlacedSegment], person: String = "bob", conversation: String? = nil
    ) -> SpeakerSampleRequest {
        SpeakerSampleRequest(
            user: user, conversation: conversation ?? self.conversation, person: person, personName: "Bob",
            segments: segments.map(\.segment.id), at: WallClock.microseconds)
    }

    /// The outcomes told so far.
    func results() -> [SessionEvent] {
        handOff.events(in: partition).compactMap { try? SessionEvent(json: $0) }.filter { $0.sample != nil }
    }

    /// Runs a worker while the body does, and shuts it down gracefully.
    func withWorker(_ body: () async throws -> Void) async throws {
        let isStorageOn = isStorageOn
        let maker = SampleMaker(
            record: voices,
            audio: StoredConversationAudio(
                record: record, reader: StoredAudioReader(store: store, encryption: nil), handOff: handOff),
            store: store, recognizer: recognizer, embedder: embedder,
            settings: { _, _ in UserSettings(isStorageOn: isStorageOn) }, limits: limits, logger: .silent)
        let worker = Worker(
            Worker.Configuration(
                group: .speakerSample, routing: .wholeStream(.speakerSample),
                member: Incarnation(startingAs: "worker"), partitions: 1, limits: fleetLimits),
            handOff: handOff, reader: handOff,
            factory: SpeakerSampleLaneFactory(maker: maker, limits: limits),
            logger: .silent)
        let group = ServiceGroup(services: [worker], logger: .silent)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            defer { tasks.cancelAll() }
            try await body()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Asks, and waits for the outcome.
    func outcome(of request: SpeakerSampleRequest) async throws -> SpeakerSampleResult {
        try await handOff.requestSample(request, in: partition)
        try await withWorker {
            try await eventually(within: .seconds(60), "the request has an outcome") { !results().isEmpty }
        }
        let found = results()
        guard found.count == 1, let result = found[0].sample else {
            throw Missing(description: "\(found.count) outcomes instead of one")
        }
        return result
    }
}
