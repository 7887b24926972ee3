import AudioStreams
import CoreMetrics
import EarshotModel
import FoundationEssentials
import NIOCore
import WorkerRuntime

/// A partition's requests to learn voices, handled one after the other when they are old enough.
///
/// A request's outcome and its passing are one commit, so each has exactly one. One whose audio cannot be had yet goes
/// behind the others, as another entry, in such a commit.
struct SpeakerSampleLane: LaneProcessor {
    private let maker: SampleMaker
    private let partition: Partition
    private var schedule: SampleSchedule

    init(maker: SampleMaker, partition: Partition, limits: SampleLimits) {
        self.maker = maker
        self.partition = partition
        schedule = SampleSchedule(limits: limits)
    }

    var wakeAt: ContinuousClock.Instant? {
        let now = WallClock.microseconds
        return schedule.nextScan(after: now).map { .now + .microseconds($0 - now) }
    }

    mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws {
        for entry in entries {
            let request: SpeakerSampleRequest
            do {
                request = try JSONDecoder().decode(
                    SpeakerSampleRequest.self, from: Data(entry.entry.payload.readableBytesView))
            } catch {
                throw LaneFailure.entry("not a request for a sample: \(error)")
            }
            schedule.add(request, next: entry.nextSequence)
        }
        try await handleDue(in: context)
    }

    mutating func idle(in context: LaneContext) async throws { try await handleDue(in: context) }

    /// The process ends: nobody waits any longer (omi.md section 6), but for audio that is not stored.
    mutating func cut(in context: LaneContext) async throws {
        while let first = schedule.pending.first { try await handle(first, in: context) }
    }

    mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws {}

    private mutating func handleDue(in context: LaneContext) async throws {
        while let due = schedule.due(at: WallClock.microseconds) { try await handle(due, in: context) }
    }

    private mutating func handle(_ pending: SampleSchedule.Pending, in context: LaneContext) async throws {
        var output = LaneOutput(progress: LaneProgress(next: pending.next))
        guard !pending.isRepeated else {
            try await context.commit(output)
            return schedule.removeFirst()
        }
        let outcome = try await maker.handle(pending.request, in: partition)
        let delay = schedule.isFull ? nil : outcome.delay
        if delay != nil {
            output.again.append(Self.postponed(pending.request))
        } else {
            output.events.append(Self.event(pending.request, outcome).json)
        }
        try await context.commit(output)
        if let delay {
            Self.count("speaker.samples.delayed", delay.outcome)
        } else {
            Self.count("speaker.samples", outcome.result.outcome)
        }
        schedule.removeFirst()
    }

    private static func postponed(_ request: SpeakerSampleRequest) -> String {
        var again = request
        again.triedAt = WallClock.microseconds
        return again.json
    }

    private static func count(_ label: String, _ outcome: SpeakerSampleResult.Outcome) {
        Counter(label: label, dimensions: [("outcome", outcome.rawValue)]).increment()
    }

    /// Its id derives from the request and when it was made: a replay tells the same event, asking again another.
    private static func event(_ request: SpeakerSampleRequest, _ outcome: SampleMaker.Outcome) -> SessionEvent {
        let type = outcome.result.outcome == .stored ? SessionEvent.Kind.speakerSampleStored : .speakerSampleRejected
        // A request about a conversation nobody knows belongs to no session.
        var event = SessionEvent(
            type: type, group: "speaker-sample", uid: request.uid,
            session: outcome.session ?? SessionID(UniqueID(high: 0, low: 0)), conversation: request.conversation,
            time: WallClock.microseconds, ordinal: 1)
        let namespace = UniqueID(request.id) ?? UniqueID(high: 0, low: 0)
        event.id = UniqueID.derived(from: namespace, name: "event/speaker-sample/\(request.name)").description
        event.sample = outcome.result
        return event
    }
}
