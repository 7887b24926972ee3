import NIOCore
import Synchronization

/// One upload's machine, shared by its source, its sender and its reader.
final class UploadRecord: Sendable {
    private struct State {
        var machine: UploadMachine
        var transcript = DeviceTranscript()
        var closeCode: UInt16?
        var closeReason = ""
        var outcome: UploadOutcome?
    }

    private let state: Mutex<State>
    private let started = ContinuousClock.now
    private let observer: (@Sendable (DeviceObservation) -> Void)?
    // One signal each is enough: whoever waits looks at the whole state.
    private let (work, workSignal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let (room, roomSignal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(_ configuration: UploadConfiguration) {
        state = Mutex(State(machine: UploadMachine(rules: configuration.rules, at: .now)))
        observer = configuration.observer
    }

    /// What has happened so far.
    var report: UploadReport {
        state.withLock { state in
            var report = state.machine.report
            report.transcript = state.transcript
            report.closeCode = state.closeCode
            report.closeReason = state.closeReason
            report.outcome = state.outcome
            return report
        }
    }

    // MARK: The source

    /// Takes in a message when there is room for it.
    func take(_ frame: UploadFrame) async throws {
        var iterator = room.makeAsyncIterator()
        while true {
            let isTaken = state.withLock { state in
                guard state.machine.hasRoom else { return false }
                state.machine.offer(frame)
                return true
            }
            if isTaken { break }
            await iterator.next()
            try Task.checkCancellation()
        }
        workSignal.yield()
    }

    func sourceEnded() {
        change { $0.sourceEnded(at: .now) }
        observer?(.audioEnded)
    }

    // MARK: The connection

    func connected() {
        change { $0.connected(at: .now) }
        observer?(.connected)
    }

    func connectFailed(_ error: DeviceConnectionError) {
        let jitter = Double.random(in: 0...1)
        change { machine in
            machine.connectFailed(
                status: error.refusal?.status, retryAfter: error.refusal?.retryAfter, at: .now, jitter: jitter)
        }
        // What was pinned for the attempt gives way again.
        roomSignal.yield()
    }

    func sendFailed() { change { $0.sendFailed() } }

    /// Reads a connection's messages to its end.
    func read(_ messages: DeviceMessages) async {
        for await message in messages {
            switch message {
            case .text(let text): receive(text)
            case .binary: change { $0.received(.unreadable, at: .now) }
            case .closed(let code, let reason): closed(code, reason)
            }
        }
        // A cancelled reader sees no end; nobody may go on waiting for it.
        closed(nil, "cancelled")
    }

    private func closed(_ code: UInt16?, _ reason: String) {
        let jitter = Double.random(in: 0...1)
        let isNews = state.withLock { state in
            guard state.machine.isConnected else { return false }
            state.closeCode = code
            state.closeReason = reason
            state.machine.closed(code: code, at: .now, jitter: jitter)
            return true
        }
        workSignal.yield()
        roomSignal.yield()
        if isNews { observer?(.closed(code: code, reason: reason)) }
    }

    private func receive(_ text: String) {
        let message = UploadMessage(text)
        change { $0.received(message, at: .now) }
        roomSignal.yield()
        let arrival = started.duration(to: .now)
        switch message {
        case .segments(let segments):
            let changed = state.withLock { state in
                state.transcript.upsert(segments, at: arrival)
                return segments.compactMap { state.transcript[$0.id] }
            }
            observer?(.segments(changed))
        case .deleted(let ids):
            state.withLock { $0.transcript.delete(ids) }
            observer?(.deleted(ids: ids))
        case .session:
            observer?(.ready)
            observer?(.event(DeviceEvent(type: "session", status: nil, json: text, arrival: arrival)))
        case .other(let type): observer?(.event(DeviceEvent(type: type, status: nil, json: text, arrival: arrival)))
        case .acknowledgement, .closing, .unreadable: break
        }
    }

    // MARK: What next

    /// The machine's next step while no connection is open.
    func step() -> UploadMachine.Step {
        state.withLock { state in
            let step = state.machine.step(at: .now)
            if case .finish(let outcome) = step { state.outcome = outcome }
            return step
        }
    }

    /// The same while one is; `nil` once it is not.
    func stepWhileConnected() -> UploadMachine.Step? {
        state.withLock { state in state.machine.isConnected ? state.machine.step(at: .now) : nil }
    }

    var isStalled: Bool { state.withLock { $0.machine.isStalled(at: .now) } }

    /// Waits until something happens, until a time, or until the task is cancelled.
    func wait(until deadline: ContinuousClock.Instant?, on eventLoop: any EventLoop) async {
        let timer = deadline.map { deadline in
            eventLoop.scheduleTask(in: TimeAmount(max(ContinuousClock.now.duration(to: deadline), .zero))) {
                self.workSignal.yield()
            }
        }
        var iterator = work.makeAsyncIterator()
        await iterator.next()
        timer?.cancel()
    }

    private func change(_ body: (inout UploadMachine) -> Void) {
        state.withLock { body(&$0.machine) }
        workSignal.yield()
    }
}
