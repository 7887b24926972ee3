import AudioStorage
import AudioStreams
import CoreMetrics
import EarshotModel
import WorkerRuntime

/// One session's way from frames to stored parts.
///
/// A part is stored in three steps (protocol.md C3): its bounds are committed, the object is written, and one commit
/// passes its frames and says `audio.stored`. Whoever begins between the steps has the bounds, reads the same frames
/// again, and writes the same bytes. A store that fails makes the lane wait; nothing is ever given up here.
///
/// A part lies in one conversation: today a session has one. With a switch inside a session, the lane closes its part
/// at the switch as it does at the end.
struct StorageLane: LaneProcessor {
    /// The name of what a lane waits for.
    static let store = "object store"

    private let services: StorageServices
    private let session: RegisteredSession
    private let partition: Partition
    private var events: UInt64
    private var next: UInt64
    private var state: StorageState
    private var held: HeldPart?
    /// Why no object of the session can have a name.
    ///
    /// The doors let no such conversation in; what is in the stream all the same goes to the dead letters, where it can
    /// be found, instead of waiting for what never comes.
    private let unnameable: ObjectStoreError?

    init(session: RegisteredSession, partition: Partition, services: StorageServices) throws {
        self.services = services
        self.session = session
        self.partition = partition
        events = session.progress.events
        next = session.progress.next
        state = try StorageState(decoding: session.progress.state)
        do throws(ObjectStoreError) {
            try PartKey.check(conversation: session.conversation)
            unnameable = nil
        } catch {
            unnameable = error
        }
    }

    // MARK: LaneProcessor

    var wakeAt: ContinuousClock.Instant? { held.map { $0.since + services.partAge } }

    mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws {
        for entry in entries {
            for frame in HeldPart.frames(of: entry, session.parameters) { try await take(frame, in: context) }
        }
        await context.hold(bytes: held?.byteCount ?? 0)
    }

    mutating func idle(in context: LaneContext) async throws {
        // A part whose bounds are fixed waits for its last frame, which is in the stream already.
        guard let due = wakeAt, ContinuousClock.now >= due, state.bounds == nil else { return }
        try await close(in: context)
    }

    mutating func cut(in context: LaneContext) async throws {
        guard held != nil else { return }
        try await shorten(in: context)
        try await close(in: context)
        await context.hold(bytes: 0)
    }

    mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws {
        if held == nil {
            // Frames that had bounds and are not there any more stand in the dead letters.
            state.bounds = nil
            return try await commit(isDone: true, in: context)
        }
        try await shorten(isDone: true, in: context)
        try await close(isDone: true, in: context)
    }

    // MARK: Frames

    private mutating func take(_ frame: PartFrame, in context: LaneContext) async throws {
        if let unnameable { throw LaneFailure.entry("cannot be stored: \(unnameable)") }
        if let bounds = state.bounds {
            if frame.sequence <= bounds.frames.upperBound {
                if held == nil {
                    held = HeldPart(timeline: specification(bounds).timeline, isEncrypted: bounds.isEncrypted)
                }
                held?.append(frame)
                if frame.sequence == bounds.frames.upperBound { try await store(in: context) }
                return
            }
            // The last frames are in the dead letters; what there was of the part is the part.
            try await shorten(in: context)
            state.bounds = nil
        }
        if let held, isOver(held, before: frame) { try await close(in: context) }
        if held == nil {
            held = HeldPart(timeline: timeline(from: frame), isEncrypted: try await isEncryptionWanted())
        }
        held?.append(frame)
        if let held, held.timeline.seconds >= Double(services.partSeconds) { try await close(in: context) }
    }

    /// A part ends when it is long enough, and before a gap that playback leaves out.
    private func isOver(_ held: HeldPart, before frame: PartFrame) -> Bool {
        held.seconds(before: frame) >= Double(services.partSeconds)
            || frame.captureTime - held.timeline.end > PlaybackPlan.gapMaximum
    }

    private func isEncryptionWanted() async throws -> Bool {
        do {
            return try await services.settings(session.user, partition).protection == .enhanced
        } catch {
            throw LaneFailure.dependency(name: "settings", reason: "\(error)")
        }
    }

    /// The timeline of a part that begins with a frame.
    ///
    /// A short gap behind the part before becomes silence at this one's beginning, so that the files behind each other
    /// last as long as the session; the `omi` format has the time in its key instead.
    private func timeline(from frame: PartFrame) -> PartTimeline {
        var start = frame.captureTime
        if services.format == .ogg, let before = state.storedUpTo,
            (0...min(Int64(services.partSeconds) * 1_000_000, PlaybackPlan.gapMaximum))
                .contains(frame.captureTime - before)
        {
            start = before
        }
        return specification(
            StorageState.Bounds(frames: 0...0, format: services.format, isEncrypted: false, start: start)
        ).timeline
    }

    // MARK: Storing

    /// A part whose bounds are fixed, and whose last frames will not come any more, ends with those that are there.
    ///
    /// Its key is another then, so that nobody who still stores the longer one can meddle.
    private mutating func shorten(isDone: Bool = false, in context: LaneContext) async throws {
        guard let bounds = state.bounds, held != nil else { return }
        let longer = specification(bounds)
        state.bounds = nil
        try await close(isDone: isDone, in: context)
        await services.parts.removeUnnamed(longer, frames: bounds.frames)
    }

    /// Stores what is held as a part.
    private mutating func close(isDone: Bool = false, in context: LaneContext) async throws {
        guard let held, let frames = held.bounds else { return }
        state.bounds = StorageState.Bounds(
            frames: frames, format: services.format, isEncrypted: held.isEncrypted, start: held.timeline.start)
        try await commit(in: context)
        try await store(isDone: isDone, in: context)
    }

    private func specification(_ bounds: StorageState.Bounds) -> PartSpecification {
        PartSpecification(
            session: session.session, user: session.user, conversation: session.conversation, part: state.part,
            codec: session.parameters.codec, sampleRate: session.parameters.sampleRate, format: bounds.format,
            isEncrypted: bounds.isEncrypted, start: bounds.start, leadIn: state.leadIn)
    }

    /// Writes the part whose bounds are committed, and passes its frames.
    private mutating func store(isDone: Bool = false, in context: LaneContext) async throws {
        guard let bounds = state.bounds, let frames = held?.frames, let missing = held?.missing(in: bounds.frames)
        else { return }
        do throws(ObjectStoreError) {
            try services.parts.checkAvailable()
        } catch {
            throw LaneFailure.dependency(name: Self.store, reason: error.message)
        }
        let specification = specification(bounds)
        let part = try await PartEncoding(specification).encode(frames)
        let description = try await upload(part, specification, bounds.frames)
        services.metrics.corruptFrames.increment(by: Int64(clamping: part.corruptFrames))
        held = nil
        state.part += 1
        state.corruptFrames += part.corruptFrames
        state.storedUpTo = part.timeline.end
        state.leadIn = part.leadOut
        state.bounds = nil
        next = bounds.frames.upperBound + 1
        events += 1
        var event = SessionEvent(
            type: .audioStored, group: WorkerGroup.privateCloud.name, uid: session.user.text,
            session: session.session, conversation: session.conversation, time: WallClock.microseconds, ordinal: events)
        event.audio = description
        event.missingFrames = missing.isEmpty ? nil : missing
        try await commit(events: [event.json], isDone: isDone, in: context)
    }

    private func upload(
        _ part: EncodedPart, _ specification: PartSpecification, _ frames: ClosedRange<UInt64>
    ) async throws -> StoredAudioPart {
        let began = ContinuousClock.now
        do {
            let stored = try await services.parts.store(part, specification, frames: frames)
            services.metrics.uploadTime.recordNanoseconds((ContinuousClock.now - began).microseconds * 1000)
            services.metrics.parts.increment()
            services.metrics.bytes.increment(by: stored.bytes)
            services.metrics.audioMilliseconds.increment(by: Int64(stored.seconds * 1000))
            return stored
        } catch {
            services.metrics.uploadFailures.increment()
            if let error = error as? ObjectStoreError, error.code == .invalidKey {
                throw LaneFailure.entry("cannot be stored: \(error)")
            }
            throw LaneFailure.dependency(name: Self.store, reason: "\(error)")
        }
    }

    private func commit(events: [String] = [], isDone: Bool = false, in context: LaneContext) async throws {
        try await context.commit(
            LaneOutput(
                progress: LaneProgress(
                    next: next, ordinal: state.part, events: self.events, state: state.encoded, isDone: isDone),
                events: events))
    }
}
