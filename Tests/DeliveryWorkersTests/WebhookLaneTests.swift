import AudioStreams
import DeliveryWorkers
import EarshotModel
import Logging
import NIOCore
import PostgresClient
import ServiceLifecycle
import SessionRecord
import TestSupport
import Testing
import WebhookDelivery
import WorkerRuntime

@Suite struct WebhookLaneTests {
    private static let partitions = 4
    private let session = TestSession(user: "alice")
    private let conversation = UniqueID(high: 5, low: 5).description

    private var limits: Limits {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(20)
        limits.leaseLapse = .milliseconds(200)
        return limits
    }

    private func event(_ type: SessionEvent.Kind, ordinal: UInt64, _ change: (inout SessionEvent) -> Void = { _ in })
        -> SessionEvent
    {
        var event = SessionEvent(
            type: type, group: "transcript", uid: "alice", session: session.id, conversation: conversation,
            time: TestSession.epoch, ordinal: ordinal)
        event.id = SessionEvent.identifier(session: session.id, group: "g", type: type, ordinal: ordinal).description
        change(&event)
        return event
    }

    private var talk: [SessionEvent] {
        [
            event(.sessionStarted, ordinal: 0) {
                $0.codec = "opus"
                $0.sampleRate = 16_000
                $0.language = "en"
                $0.source = "omi"
                $0.conversationStart = TestSession.epoch
            },
            event(.transcriptSegments, ordinal: 1) { event in
                event.firstSegment = 0
                event.segments = [
                    TranscriptSegment(
                        id: SegmentID.of(session: session.id, ordinal: 0), text: "It was the best of times.",
                        start: 0.5,
                        end: 2, sttProvider: "test", language: "en")
                ]
            },
            event(.sessionEnded, ordinal: 2) {
                $0.reason = "client_closed"
                $0.frames = 100
                $0.audioSeconds = 2
            },
            event(.conversationCompleted, ordinal: 0) { $0.conversationEnd = TestSession.epoch + 2_000_000 },
        ]
    }

    private var partition: Partition { Partition(of: session.user, count: Self.partitions) }

    /// Writes events into a stream; the lane does not care which kind it is.
    private func publish(_ events: [SessionEvent], _ handOff: InMemoryHandOff) async throws {
        for event in events { _ = try await handOff.append(ByteBuffer(string: event.json), to: partition) }
    }

    /// Runs the worker and the deliverer while `body` runs.
    private func working(
        _ fixture: DeliveryFixture, _ handOff: InMemoryHandOff, store: PostgresDeliveryStore? = nil,
        _ body: (EndpointDirectory) async throws -> Void
    ) async throws {
        let directory = EndpointDirectory(limits: fixture.limits) {
            [endpoints = fixture.endpoints] user
                throws(WebhookError) in try await endpoints.endpoints(of: user)
        }
        try await fixture.delivering { deliverer, _ in
            let worker = Worker(
                Worker.Configuration(
                    group: .webhook, routing: .wholeStream(.audio), member: Incarnation(startingAs: "webhook-0"),
                    partitions: Self.partitions, limits: limits),
                handOff: handOff, reader: handOff,
                factory: WebhookLaneFactory(
                    endpoints: directory, store: store ?? fixture.store, deliveryLimits: fixture.limits,
                    limits: limits, wake: deliverer.wake,
                    notify: { [notices = fixture.notices] user, text in notices.add(user, text) }), logger: .silent)
            let group = ServiceGroup(services: [worker], logger: .silent)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                do {
                    try await body(directory)
                } catch {
                    Issue.record(error)
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    private func backlog(_ handOff: InMemoryHandOff) async throws -> Int64 {
        try await handOff.lag(of: .webhook, stream: .audio, in: [partition]).first?.entries ?? -1
    }

    @Test("H6: events of a conversation arrive in order in both dialects, and pass the stream at once")
    func conversation() async throws {
        try await DeliveryFixture.with { fixture in
            let handOff = InMemoryHandOff(limits: limits)
            _ = try await handOff.enable(EnabledGroups(audio: [.webhook], events: []), in: [partition])
            try await Receiver.with { standard in
                try await Receiver.with { omi in
                    let first = try await fixture.endpoint(standard.url)
                    let second = try await fixture.endpoint(omi.url) {
                        $0.dialect = .omi
                        $0.events = [.transcriptSegments, .conversationCompleted]
                    }
                    try await working(fixture, handOff) { _ in
                        try await publish(talk, handOff)
                        try await eventually("three deliveries, the fourth waits for the record") {
                            try await fixture.states(of: first) == [.delivered: 3, .pending: 1]
                        }
                        try await eventually("the stream is passed") { try await backlog(handOff) == 0 }
                        try await PostgresSessionRecord(client: fixture.client).write(talk)
                        try await eventually("the conversation arrives") {
                            let omiStates = try await fixture.states(of: second)
                            return try await fixture.states(of: first)[.delivered] == 4 && omiStates[.delivered] == 2
                        }
                    }
                    #expect(
                        standard.received.map { $0.header("earshot-event") } == talk.map(\.type.rawValue))
                    let completed = try #require(standard.received.last?.text)
                    #expect(completed.contains("It was the best of times."))
                    #expect(completed.contains(#""finished_at":"2025-10-09T08:53:22.000Z""#))
                    #expect(omi.received.first?.text.hasPrefix(#"{"segments":[{"#) == true)
                    #expect(omi.received.first?.text.hasSuffix(#""session_id":"alice"}"#) == true)
                    #expect(omi.received.last?.text.contains(#""transcript_segments":[{"#) == true)
                    #expect(omi.received.allSatisfy { $0.uri == "/hook?uid=alice" })
                }
            }
        }
    }

    /// An endpoint whose `conversation.completed` waits for a record that has nothing yet.
    private func withWaiting(
        _ limits: DeliveryLimits, _ body: (DeliveryFixture, Receiver, WebhookEndpoint) async throws -> Void
    ) async throws {
        try await DeliveryFixture.with(limits) { fixture in
            let handOff = InMemoryHandOff(limits: self.limits)
            _ = try await handOff.enable(EnabledGroups(audio: [.webhook], events: []), in: [partition])
            try await Receiver.with { receiver in
                let endpoint = try await fixture.endpoint(receiver.url) { $0.events = [.conversationCompleted] }
                try await publish(talk, handOff)
                try await working(fixture, handOff) { _ in
                    try await eventually("it waits") { try await fixture.states(of: endpoint) == [.pending: 1] }
                    try await body(fixture, receiver, endpoint)
                }
            }
        }
    }

    @Test("A conversation waits while the record is far behind, at first without and then with a part of it")
    func farBehind() async throws {
        try await withWaiting(DeliveryFixture.fastLimits) { fixture, receiver, endpoint in
            // Ten minutes have gone by.
            try await fixture.client.execute("UPDATE webhook_deliveries SET created_at = now() - interval '10 min'")
            let waited = try await fixture.store.list(.init(endpoint: endpoint.id), limit: 1)
            try await eventually("it was looked at since") {
                let now = try await fixture.store.list(.init(endpoint: endpoint.id), limit: 1)
                return now[0].dueAt != waited[0].dueAt
            }
            try await PostgresSessionRecord(client: fixture.client).write(Array(talk.prefix(1)))
            try await fixture.client.execute("UPDATE webhook_deliveries SET due_at = now() WHERE claim IS NULL")
            try await eventually("it waits for the rest") {
                let delivery = try await fixture.store.list(.init(endpoint: endpoint.id), limit: 1)[0]
                return delivery.state == .pending && (delivery.dueAt ?? 0) > WallClock.microseconds + 30_000_000
            }
            #expect(receiver.received.isEmpty)
            try await PostgresSessionRecord(client: fixture.client).write(talk)
            try await fixture.client.execute("UPDATE webhook_deliveries SET due_at = now() WHERE claim IS NULL")
            try await eventually("it is told") { try await fixture.states(of: endpoint) == [.delivered: 1] }
            #expect(receiver.received.map { $0.text.contains("It was the best of times.") } == [true])
        }
    }

    @Test("A conversation the record never gets is dead after a day, by name and without an attempt")
    func neverRecorded() async throws {
        var limits = DeliveryFixture.fastLimits
        limits.recordWait = .milliseconds(300)
        try await withWaiting(limits) { fixture, receiver, endpoint in
            try await eventually("it is dead") { try await fixture.states(of: endpoint) == [.dead: 1] }
            let delivery = try await fixture.store.list(.init(endpoint: endpoint.id), limit: 1)[0]
            #expect(delivery.error == "after 0.3 seconds the record has no conversation \(conversation)")
            #expect(delivery.attempts == 0)
            #expect(receiver.received.isEmpty)
            #expect(DeliveryLimits().recordWait == .seconds(86_400))
        }
    }

    @Test("An endpoint that is added, disabled or removed counts from the notice on")
    func notices() async throws {
        try await DeliveryFixture.with { fixture in
            let handOff = InMemoryHandOff(limits: limits)
            _ = try await handOff.enable(EnabledGroups(audio: [.webhook], events: []), in: [partition])
            try await Receiver.with { receiver in
                try await working(fixture, handOff) { directory in
                    try await publish([talk[0]], handOff)
                    try await eventually("the event is passed") { try await backlog(handOff) == 0 }
                    let endpoint = try await fixture.endpoint(receiver.url)
                    directory.forget(session.user)
                    try await publish([talk[1]], handOff)
                    try await eventually("it arrives") { receiver.received.count == 1 }
                    // What another process found out about an endpoint comes as an event.
                    let gone = event(.endpointDisabled, ordinal: 9) {
                        $0.endpoint = endpoint.id.description
                        $0.reason = "its receiver answered 410 Gone"
                    }
                    try await publish([gone], handOff)
                    try await eventually("it is disabled") {
                        try await fixture.endpoints.endpoint(endpoint.id)?.state == .disabled
                    }
                    #expect(fixture.notices.all.count == 1, "its owner is told")
                    directory.forget(nil)
                    try await publish([talk[2]], handOff)
                    try await eventually("the event is kept for a replay") {
                        try await fixture.states(of: endpoint)[.dead] == 1
                    }
                }
                #expect(receiver.received.map { $0.header("earshot-event") } == ["transcript.segments"])
            }
        }
    }

    @Test("While Postgres is away events wait in the stream; a bad one does not take its neighbours along")
    func away() async throws {
        try await DeliveryFixture.with { fixture in
            let handOff = InMemoryHandOff(limits: limits)
            _ = try await handOff.enable(EnabledGroups(audio: [.webhook], events: []), in: [partition])
            try await Receiver.with { receiver in
                _ = try await fixture.endpoint(receiver.url)
                var configuration = try PostgresConfiguration(url: "postgres://nobody@127.0.0.1:1/none")
                configuration.connectTimeout = .milliseconds(200)
                configuration.acquisitionTimeout = .milliseconds(200)
                let absent = PostgresClient(configuration, logger: .silent)
                try await publish([talk[0]], handOff)
                _ = try await handOff.append(ByteBuffer(string: "not an event"), to: partition)
                try await publish([talk[2]], handOff)
                try await working(fixture, handOff, store: PostgresDeliveryStore(client: absent)) { _ in
                    // The lane has been at it and let go; nothing was passed.
                    try await eventually("the worker has the partition") {
                        try await handOff.sightings(of: [partition], group: .webhook).isEmpty == false
                    }
                    #expect(try await backlog(handOff) == 3)
                }
                #expect(try await backlog(handOff) == 3)
                try await working(fixture, handOff) { _ in
                    try await eventually("both events arrive") { receiver.received.count == 2 }
                    try await eventually("the bad one is put aside") {
                        handOff.deadLetters(of: .webhook, in: partition).count == 1
                    }
                }
            }
        }
    }
}
