import AudioStreams
import CoordinatorService
import EarshotModel
import Foundation
import RedisClient
import ServiceLifecycle
import SessionRecord
import TestSupport
import Testing
import WorkerRuntime

/// The record catches up on a real Redis and a real Postgres; how fast is told, and asserted nowhere.
@Suite("The record's throughput")
struct RecordThroughputTests {
    private static let migrations = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Migrations").path

    private let partitions = 64
    private let sessionCount = 200
    private let segmentsEach = 100

    private var limits: Limits {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(50)
        return limits
    }

    private func event(_ session: TestSession, _ number: Int) -> SessionEvent {
        var event = SessionEvent(
            type: .transcriptSegments, group: "transcript", uid: session.user.text, session: session.id,
            conversation: "c-\(session.id)", time: TestSession.epoch, ordinal: UInt64(number + 1))
        event.firstSegment = UInt64(number)
        event.segments = [
            TranscriptSegment(
                id: SegmentID.of(session: session.id, ordinal: UInt64(number)), text: "what was said, number \(number)",
                start: Double(number), end: Double(number) + 0.9, sttProvider: "test", language: "en")
        ]
        return event
    }

    /// Appends everything, as commits do, in pipelines.
    private func append(_ sessions: [TestSession], to fleet: RedisFleet) async throws {
        for session in sessions {
            let key = RedisArgument(fleet.keys.events(Partition(of: session.user, count: partitions)))
            let commands = (0..<segmentsEach).map { number in
                RedisCommand("XADD", key, "*", "e", .init(event(session, number).json))
            }
            _ = try await fleet.client.execute(RedisPipeline(commands))
        }
    }

    @Test("A backlog of 20,000 events is recorded in batches far larger than one read of audio, each event once")
    func backlog() async throws {
        let sessions = (0..<sessionCount).map { number in
            TestSession(user: "user-\(number % 16)", at: TestSession.epoch + Int64(number))
        }
        let total = sessionCount * segmentsEach
        let metrics = CountingMetrics()
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: Self.migrations, logger: .silent).run()
            let record = PostgresSessionRecord(client: database.client)
            try await RedisFleet.with(limits: limits.ofRecord) { fleet in
                try await append(sessions, to: fleet)
                let worker = Worker(
                    Worker.Configuration(
                        group: .record, routing: .wholeStream(.events), member: Incarnation(startingAs: "record"),
                        partitions: partitions, limits: limits.ofRecord),
                    handOff: fleet.handOff, reader: fleet.makeReader(),
                    factory: RecordLaneFactory(record: record, limits: limits, metrics: metrics), logger: .silent)
                let group = ServiceGroup(services: [worker], logger: .silent)
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await group.run() }
                    try await eventually("the first event") { metrics.total("record.events") > 0 }
                    let began = ContinuousClock.now
                    try await eventually(within: .seconds(300), "all events") {
                        metrics.total("record.events") >= total
                    }
                    let seconds = (ContinuousClock.now - began) / .seconds(1)
                    let (batches, rate) = (metrics.total("record.batches"), Int(Double(total) / seconds))
                    let text = "record: \(total) events in \(batches) batches, \(rate) events/s\n"
                    FileHandle.standardError.write(Data(text.utf8))
                    await group.triggerGracefulShutdown()
                    try await tasks.waitForAll()
                }
            }
            #expect(metrics.total("record.events") == total)
            #expect(metrics.total("record.batches") <= total / 200)
            for session in sessions {
                let segments = try await record.segments(ofSession: session.id.description)
                #expect(segments.map(\.start) == (0..<segmentsEach).map(Double.init))
            }
        }
    }
}
