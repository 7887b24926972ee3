import AudioStreams
import CoreMetrics
import EarshotModel
import WebhookDelivery
import WorkerRuntime

/// One session's way from frames to windows at the user's audio endpoints.
///
/// What is committed is where each endpoint stands: all before it has arrived or was skipped. A successor decodes
/// from there and repeats at most the windows that were on their way, under the same ids.
struct AudioBytesLane: LaneProcessor {
    /// What all lanes share.
    struct Services: Sendable {
        let settings: @Sendable (UserID, Partition) async throws -> UserSettings
        let sender: AudioWindowSender
        let deliveryLimits: DeliveryLimits
    }

    /// One endpoint: its windows on their way, and where the next one begins.
    private struct Outlet {
        let held: HeldChannel
        var windowSamples: UInt64
        var sample: UInt64
        var sequence: UInt64
        var isGoneTold = false

        var channel: WindowChannel { held.channel }
    }

    /// Frames between two commits while nobody gets the audio: a second or two.
    private static let idleCommitFrames: UInt64 = 100

    /// Cursors kept of endpoints that are no more: as many as an owner may have, a few times over.
    private static let cursorsKept = 64

    /// Audio that is skipped when there is no room to keep it: as much as makes room for a while.
    private static let overflowSeconds: UInt64 = 60

    private let services: Services
    private let session: RegisteredSession
    private let partition: Partition
    /// Whether audio may be kept until a receiver takes it; when not, it is skipped, whatever the policy.
    private let mayWait: Bool
    private let settled = Signal()
    private let skipped = Counter(label: "audio_bytes.windows", dimensions: [("result", "skipped")])
    private var held: HeldSession
    private var outlets: [Outlet] = []
    private var restored: [WindowCursor]
    private var committed: LaneProgress
    /// Whether too much is held in the partition: the lane waits at once for who does not take it.
    private var isReliefWanted = false
    private var lastAudioAt = ContinuousClock.now
    /// When to see what receivers have taken, although no audio comes; `nil` once all that came is committed.
    private(set) var wakeAt: ContinuousClock.Instant?

    init(_ session: RegisteredSession, in partition: Partition, mayWait: Bool = true, services: Services) throws {
        self.services = services
        self.session = session
        self.partition = partition
        self.mayWait = mayWait
        committed = session.progress
        let state = try WindowCursor.decode(session.progress.state)
        restored = state.cursors
        held = try HeldSession(session.parameters, from: session.progress.next, breaks: state.breaks)
    }

    // MARK: LaneProcessor

    mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws {
        for entry in entries {
            guard let start = held.append(entry) else { continue }
            lastAudioAt = .now
            try await followSettings(from: start)
            cutWindows(atEnd: false)
            if holdsTooMuch { try await waitForRoom(atEnd: false, in: context) }
        }
        isReliefWanted = false
        lookAgain()
        try await commit(isDone: false, in: context)
        await context.hold(bytes: held.byteCount)
    }

    mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws {
        if let end = held.endSample { try await followSettings(from: end) }
        cutWindows(atEnd: true)
        try await waitForRoom(atEnd: true, in: context)
        let deadline = ContinuousClock.now + services.deliveryLimits.totalTimeout * 2
        while outlets.contains(where: { !$0.channel.withQueue(\.isSettled) }), ContinuousClock.now < deadline {
            await settled.wait(until: deadline)
        }
        let unsettled = outlets.filter { !$0.channel.withQueue(\.isSettled) }
        let awaited = unsettled.first { $0.channel.withQueue(\.policy) == .all && mayWait }
        for outlet in unsettled where outlet.channel.withQueue(\.policy) == .latest || !mayWait {
            skipped.increment(by: outlet.channel.withQueue { $0.abandon() })
        }
        if let awaited {
            // What did arrive, and what was skipped, must not come again.
            try await commit(isDone: false, in: context)
            throw unavailable(awaited)
        }
        try await commit(isDone: true, in: context)
    }

    mutating func idle(in context: LaneContext) async throws {
        // A look-up that fails comes again with the next look.
        if let end = held.endSample { try? await followSettings(from: end) }
        let isQuiet = ContinuousClock.now - lastAudioAt >= services.deliveryLimits.audioQuiet
        // Committed before the last window is offered: whoever does it again cuts it there, too.
        if isQuiet, held.endRun() { try await commit(isDone: false, in: context) }
        cutWindows(atEnd: false)
        lookAgain()
        try await commit(isDone: false, atRest: isQuiet, in: context)
        if let away { throw unavailable(away) }
    }

    mutating func cut(in context: LaneContext) async throws {
        isReliefWanted = true
        try await commit(isDone: false, in: context)
    }

    // MARK: Endpoints

    /// Takes up endpoints that are new and lets go of those that are no more.
    private mutating func followSettings(from start: UInt64) async throws {
        let settings: UserSettings
        do {
            settings = try await services.settings(session.user, partition)
        } catch {
            throw LaneFailure.dependency(name: "settings", reason: "\(error)")
        }
        var wanted: [UniqueID: AudioEndpoint] = [:]
        for endpoint in settings.audioEndpoints {
            if let id = UniqueID(endpoint.id) { wanted[id] = endpoint }
        }
        for outlet in outlets where wanted[outlet.channel.endpoint] == nil {
            // Should it come back, it counts on: a number stands for one window for ever.
            var cursor = outlet.channel.withQueue(\.cursor)
            (cursor.sample, cursor.sequence) = (outlet.sample, outlet.sequence)
            restored = restored.suffix(Self.cursorsKept - 1) + [cursor]
        }
        outlets.removeAll { wanted[$0.channel.endpoint] == nil }
        for (id, endpoint) in wanted.sorted(by: { $0.key < $1.key }) {
            let samples = AudioWindow.samples(
                seconds: endpoint.windowSeconds, sampleRate: session.parameters.sampleRate,
                bodyBytesMaximum: services.deliveryLimits.bodyBytesMaximum)
            if let index = outlets.firstIndex(where: { $0.channel.endpoint == id }) {
                outlets[index].windowSamples = samples
                outlets[index].channel.update(endpoint)
                continue
            }
            var cursor = restored.first { $0.endpoint == id } ?? WindowCursor(endpoint: id, sample: start)
            cursor.sample = max(cursor.sample, start)
            restored.removeAll { $0.endpoint == id }
            let channel = WindowChannel(session, cursor: cursor, settings: endpoint, settled: settled)
            if !mayWait {
                let windows = Self.overflowSeconds * UInt64(session.parameters.sampleRate) / samples
                channel.withQueue { $0.overflow(Int(clamping: max(1, windows))) }
            }
            outlets.append(
                Outlet(
                    held: HeldChannel(channel), windowSamples: samples, sample: cursor.sample, sequence: cursor.sequence
                ))
        }
    }

    // MARK: Windows

    /// Cuts every window that is whole, and at an end the rest as well, for each endpoint as far as it takes them: one
    /// that is slow holds up no other.
    private mutating func cutWindows(atEnd: Bool) {
        for index in outlets.indices {
            while let range = nextWindow(of: index, atEnd: atEnd), !isFull(index) {
                cutWindow(of: index, range)
            }
        }
        drop()
    }

    /// A device may be silent for long, and what it said before must be through all the same: until then its partition
    /// cannot be trimmed.
    private mutating func lookAgain() {
        let isWaiting = committed.next < held.nextSequence || outlets.contains { !$0.channel.withQueue(\.isSettled) }
        wakeAt = isWaiting ? .now + services.deliveryLimits.recordStep : nil
    }

    /// A receiver that must get everything, and has been away so long that the audio is to wait elsewhere.
    private var away: Outlet? {
        let since = ContinuousClock.now - services.deliveryLimits.heldAudioMaximum
        return outlets.first { outlet in
            mayWait
                && outlet.channel.withQueue { $0.policy == .all && $0.waitingSince.map { $0 < since } ?? false }
        }
    }

    private func isFull(_ index: Int) -> Bool { outlets[index].channel.withQueue { $0.isFull(now: .now) } }

    /// The samples of an endpoint's next window; `nil` when there is none yet.
    private mutating func nextWindow(of index: Int, atEnd: Bool) -> Range<UInt64>? {
        guard let run = held.run(from: outlets[index].sample) else { return nil }
        if outlets[index].sample < run.samples.lowerBound {
            // Nothing lies between what there was and this.
            outlets[index].sample = run.samples.lowerBound
            outlets[index].channel.withQueue { $0.jump(to: run.samples.lowerBound) }
        }
        let start = outlets[index].sample
        let length = min(outlets[index].windowSamples, run.samples.upperBound - start)
        guard length == outlets[index].windowSamples || run.isOver || atEnd else { return nil }
        return start..<start + length
    }

    private var holdsTooMuch: Bool {
        let limits = services.deliveryLimits
        return isReliefWanted || held.byteCount > limits.heldAudioBytesMaximum
            || held.duration > limits.heldAudioMaximum
    }

    private mutating func drop() {
        if let end = held.endSample { held.drop(settledBefore: settledSample ?? end) }
    }

    private mutating func cutWindow(of index: Int, _ range: Range<UInt64>) {
        let outlet = outlets[index]
        let (pcm, captureTime) = held.cut(range)
        let skipped = outlet.channel.withQueue { queue in
            let before = queue.cursor.skipped
            queue.offer(
                AudioWindow(
                    sequence: outlet.sequence, start: range.lowerBound, end: range.upperBound,
                    captureTime: captureTime, pcm: pcm), now: .now)
            return queue.cursor.skipped - before
        }
        if skipped > 0 { self.skipped.increment(by: Int(clamping: skipped)) }
        services.sender.offer(outlet.channel)
        outlets[index].sample = range.upperBound
        outlets[index].sequence += 1
    }

    /// The lane waits for a receiver, first here, then in the stream: until no more is held than may be, and at an end
    /// until all is cut; with the policy `latest` until it is slow.
    private mutating func waitForRoom(atEnd: Bool, in context: LaneContext) async throws {
        for index in outlets.indices {
            var deadline = ContinuousClock.now + services.deliveryLimits.totalTimeout
            while atEnd || holdsTooMuch, nextWindow(of: index, atEnd: atEnd) != nil {
                guard ContinuousClock.now < deadline, !Task.isCancelled else {
                    // What did arrive, and what was skipped, must not come again.
                    try await commit(isDone: false, in: context)
                    throw unavailable(outlets[index])
                }
                let before = outlets[index].sequence
                cutWindows(atEnd: atEnd)
                if outlets[index].sequence > before {
                    deadline = .now + services.deliveryLimits.totalTimeout
                } else {
                    await settled.wait(until: min(deadline, outlets[index].channel.withQueue(\.slowAt) ?? deadline))
                }
            }
        }
    }

    private func unavailable(_ outlet: Outlet) -> LaneFailure {
        .dependency(name: "audio endpoint", reason: "\(outlet.channel.endpoint) does not take its windows")
    }

    // MARK: Commits

    private var settledSample: UInt64? { outlets.map { $0.channel.withQueue(\.cursor.sample) }.min() }

    private mutating func commit(
        isDone: Bool, atRest: Bool = false, in context: LaneContext
    ) async throws {
        drop()
        var progress = committed
        progress.next = max(committed.next, isDone ? held.nextSequence : held.firstNeeded)
        // Those that no entry has brought up yet stand where they stood.
        progress.state = WindowCursor.encode(
            outlets.map { $0.channel.withQueue(\.cursor) } + restored, breaks: held.breaks)
        progress.isDone = isDone
        let gone = outlets.filter { !$0.isGoneTold && $0.channel.withQueue(\.isGone) }
        var output = LaneOutput(progress: progress)
        output.events = gone.map { outlet in
            output.progress.events += 1
            return goneEvent(outlet.channel.endpoint, ordinal: output.progress.events).json
        }
        guard
            isDone || !gone.isEmpty || progress.state != committed.state
                || progress.next >= committed.next + (atRest ? 1 : Self.idleCommitFrames)
        else { return }
        try await context.commit(output)
        committed = output.progress
        for index in outlets.indices where outlets[index].channel.withQueue(\.isGone) {
            outlets[index].isGoneTold = true
        }
    }

    /// The webhook worker, which has the database, disables the endpoint when it sees this.
    private func goneEvent(_ endpoint: UniqueID, ordinal: UInt64) -> SessionEvent {
        var event = SessionEvent(
            type: .endpointDisabled, group: WorkerGroup.audioBytes.name, uid: session.user.text,
            session: session.session, conversation: session.conversation, time: WallClock.microseconds,
            ordinal: ordinal)
        event.endpoint = endpoint.description
        event.reason = PostgresDeliveryStore.goneReason
        return event
    }
}
