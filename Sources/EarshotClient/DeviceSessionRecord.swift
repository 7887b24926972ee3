import NIOCore
import Synchronization

/// What one session has seen so far, shared by its reader and its sender.
final class DeviceSessionRecord: Sendable {
    struct State: Sendable {
        var report = DeviceReport()
        var isClosed = false
        var isAuthenticated: Bool?
        var isServiceReady = false
        var hasConversation = false
        /// When a segment last came, changed or went.
        var lastChange: ContinuousClock.Instant?
    }

    enum Step {
        case done
        case wait(until: ContinuousClock.Instant)
    }

    private let state = Mutex(State())
    private let started: ContinuousClock.Instant
    private let observer: (@Sendable (DeviceObservation) -> Void)?
    // One signal is enough: whoever waits looks at the whole state.
    private let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(started: ContinuousClock.Instant, observer: (@Sendable (DeviceObservation) -> Void)?) {
        self.started = started
        self.observer = observer
    }

    var isClosed: Bool { state.withLock(\.isClosed) }

    var report: DeviceReport { state.withLock(\.report) }

    /// The server's answer to the first message's token.
    var isAuthenticated: Bool? { state.withLock(\.isAuthenticated) }

    /// The time since the session's start.
    var elapsed: Duration { started.duration(to: .now) }

    func update(_ change: (inout DeviceReport) -> Void) {
        state.withLock { change(&$0.report) }
    }

    func observe(_ observation: DeviceObservation) {
        observer?(observation)
    }

    /// Reads messages until the connection ends.
    func read(_ messages: DeviceMessages) async {
        for await message in messages {
            switch message {
            case .text(let text): receive(text)
            case .binary: update { $0.unreadableCount += 1 }
            case .closed(let code, let reason):
                let arrival = elapsed
                state.withLock { state in
                    state.isClosed = true
                    state.report.closeCode = code
                    state.report.closeReason = reason
                    state.report.endedAt = arrival
                }
                observe(.closed(code: code, reason: reason))
            }
            signal.yield()
        }
        // A cancelled reader sees no end; nobody may go on waiting for it.
        state.withLock { $0.isClosed = true }
        signal.yield()
    }

    /// Waits until `step` says that it is done, the connection ends, or the task is cancelled.
    ///
    /// `step` is asked at least once, again after every message, and at the time it named last.
    func wait(on eventLoop: any EventLoop, _ step: (State) -> Step) async {
        var iterator = signals.makeAsyncIterator()
        while !Task.isCancelled {
            // Asked under the lock: a copy held while more comes would make every change copy the transcript.
            let (next, isClosed) = state.withLock { (step($0), $0.isClosed) }
            guard !isClosed, case .wait(let deadline) = next else { return }
            let delay = ContinuousClock.now.duration(to: deadline)
            let timer = eventLoop.scheduleTask(in: TimeAmount(max(delay, .zero))) { self.signal.yield() }
            await iterator.next()
            timer.cancel()
        }
    }

    private func receive(_ text: String) {
        let arrival = elapsed
        switch WireMessage(text) {
        case .ping: update { $0.pingCount += 1 }
        case .unreadable: update { $0.unreadableCount += 1 }
        case .segments(let segments):
            let changed = state.withLock { state in
                state.report.transcript.upsert(segments, at: arrival)
                state.lastChange = .now
                return segments.compactMap { state.report.transcript[$0.id] }
            }
            observe(.segments(changed))
        case .event(let event):
            receive(DeviceEvent(type: event.type, status: event.status, json: text, arrival: arrival), event)
        }
    }

    private func receive(_ event: DeviceEvent, _ content: WireEvent) {
        state.withLock { state in
            if state.report.events.count < DeviceClientLimits.eventsMax {
                state.report.events.append(event)
            } else {
                state.report.droppedEventCount += 1
            }
            switch event.type {
            case "segments_deleted":
                state.report.transcript.delete(content.segmentIDs ?? [])
                state.lastChange = .now
            case "service_status": if event.status == "ready" { state.isServiceReady = true }
            case "conversation_session": state.hasConversation = true
            case "auth_response": state.isAuthenticated = content.success ?? false
            default: break
            }
        }
        if event.type == "segments_deleted" { observe(.deleted(ids: content.segmentIDs ?? [])) }
        observe(.event(event))
    }
}
