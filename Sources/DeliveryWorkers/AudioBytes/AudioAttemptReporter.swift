import CoreMetrics
package import EarshotModel
package import Logging
import ServiceLifecycle
import Synchronization
import WorkerRuntime

/// Passes on what became of requests with live audio: as events, which the webhook worker writes into its log.
///
/// Nothing waits for it. While events cannot be written the last attempts are kept, and older ones counted as lost.
package final class AudioAttemptReporter: Service {
    /// An attempt and the session whose audio it was about.
    struct Report: Sendable {
        let session: SessionID
        let user: UserID
        let conversation: String
        let attempt: AudioAttempt
    }

    /// Attempts that wait to be passed on: a second of a busy process, at about 1 KB each.
    private static let waitingMaximum = 2_000
    /// Attempts in one event: with the longest excerpts some 100 KB.
    private static let batchMaximum = 50

    private let append: @Sendable (SessionEvent, UserID) async throws -> Void
    private let interval: Duration
    private let logger: Logger
    private let waiting = Mutex<[Report]>([])
    private let lost = Counter(label: "audio_bytes.attempts.lost")

    /// A reporter that appends events to a user's stream, once an interval.
    package init(
        interval: Duration, logger: Logger, append: @escaping @Sendable (SessionEvent, UserID) async throws -> Void
    ) {
        self.interval = interval
        self.logger = logger
        self.append = append
    }

    /// Takes an attempt.
    func report(_ report: Report) {
        let dropped = waiting.withLock { waiting in
            waiting.append(report)
            guard waiting.count > Self.waitingMaximum else { return 0 }
            let excess = waiting.count - Self.waitingMaximum
            waiting.removeFirst(excess)
            return excess
        }
        if dropped > 0 { lost.increment(by: dropped) }
    }

    /// Passes attempts on until a graceful shutdown, and then the last ones.
    package func run() async throws {
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            await Ticker.wait(interval)
            await passOn()
        }
        await passOn()
    }

    private func passOn() async {
        let reports = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        var rest = Dictionary(grouping: reports, by: \.session).values[...]
        while let own = rest.popFirst() {
            do {
                for start in stride(from: 0, to: own.count, by: Self.batchMaximum) {
                    try await passOn(Array(own[start..<min(start + Self.batchMaximum, own.count)]))
                }
            } catch {
                logger.notice("attempts are logged later", metadata: ["error": "\(error)"])
                let kept = own + rest.flatMap(\.self)
                waiting.withLock { $0 = Array((kept + $0).suffix(Self.waitingMaximum)) }
                return
            }
        }
    }

    private func passOn(_ reports: [Report]) async throws {
        guard let first = reports.first else { return }
        let now = WallClock.microseconds
        var event = SessionEvent(
            type: .endpointAttempts, group: WorkerGroup.audioBytes.name, uid: first.user.text, session: first.session,
            conversation: first.conversation, time: now, ordinal: 0)
        // It is no part of the session's history and has no place in it: each is another one.
        event.id = UniqueID.timeOrdered(at: now).description
        event.attempts = reports.map(\.attempt)
        try await append(event, first.user)
    }
}
