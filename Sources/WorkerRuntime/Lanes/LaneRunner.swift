import AudioStreams
import CoreMetrics
import EarshotModel
import Logging

/// The task of one lane: opens its processor, feeds it in order, and deals with its failures.
struct LaneRunner {
    let key: LaneKey
    /// Which opening of the key this is.
    let number: Int
    let consumer: PartitionConsumer

    /// What the current attempt knows.
    struct Attempt {
        var processor: any LaneProcessor
        var opening: LaneOpening
        /// The sequence the next entry should begin with.
        var expected: UInt64
        /// Whether entries were passed by because they stand beyond a gap.
        var hasPassedGap = false
    }

    enum Step {
        case next
        case reopen
        case done
    }

    /// Entries that a processor could not take in.
    struct EntryFailure: Error {
        var entries: [LaneEntry]
        var reason: String
    }

    func run() async {
        var history = LaneHistory()
        while await runOnce(&history) == .reopen {}
        await consumer.laneEnded(key, number)
    }

    /// Opens the lane and works until it ends or has to be opened again.
    private func runOnce(_ history: inout LaneHistory) async -> Step {
        var opening: LaneOpening
        do throws(HandOffError) {
            guard let found = try await openLane() else { return .done }
            opening = found
            opening.isParkingFull = history.isParkingFull
        } catch {
            if error.code == .cancelled { return .done }
            history.attempts += 1
            await Backoff.dependency.pause(attempt: history.attempts)
            return await isOver ? .done : .reopen
        }
        let context = LaneContext(key: key, consumer: consumer)
        do {
            var attempt = Attempt(
                processor: try consumer.factory.open(opening), opening: opening, expected: opening.progress.next)
            while true {
                let input = await consumer.nextInput(of: key, number, wakeAt: attempt.processor.wakeAt)
                switch try await handle(input, &attempt, context, &history) {
                case .next: continue
                case .reopen: return .reopen
                case .done: return .done
                }
            }
        } catch {
            return await recover(from: error, &history)
        }
    }

    private var isOver: Bool {
        get async {
            if Task.isCancelled { return true }
            return await consumer.isOver
        }
    }

    /// Looks the lane up; `nil` when it has nothing to do.
    private func openLane() async throws(HandOffError) -> LaneOpening? {
        guard case .session(let id) = key else {
            await consumer.opened(key, number, at: 0)
            return LaneOpening(key: key, partition: consumer.partition, session: nil)
        }
        let session = try await consumer.handOff.session(id, group: consumer.group, in: consumer.partition)
        guard var session, !session.progress.isDone else {
            // Unknown to the registry, or passed before: late entries never open a lane (protocol.md C2).
            await consumer.ignore(key)
            return nil
        }
        guard let beginning = try await consumer.beginning(of: session, number) else { return nil }
        if beginning.lost > 0, session.progress == LaneProgress() {
            missing(from: beginning.start - beginning.lost, to: beginning.start)
        }
        guard let stateBefore = try await consumer.stateBefore(session, number) else { return nil }
        session.progress.next = max(session.progress.next, beginning.start)
        await consumer.opened(key, number, at: session.progress.next)
        return LaneOpening(
            key: key, partition: consumer.partition, session: session, start: beginning.start, lost: beginning.lost,
            stateBefore: stateBefore)
    }

    private func handle(
        _ input: LaneInput, _ attempt: inout Attempt, _ context: LaneContext, _ history: inout LaneHistory
    ) async throws -> Step {
        switch input {
        case .entries(let entries):
            let step = try await take(entries, &attempt, context, &history)
            if let last = entries.last { history.took(through: last.entry.position) }
            await consumer.absorbed(entries.count, of: key, number)
            return step
        case .idle:
            try await attempt.processor.idle(in: context)
            return .next
        case .relieve:
            try await attempt.processor.cut(in: context)
            return .next
        case .handOver:
            try await attempt.processor.cut(in: context)
            return .done
        case .close: return .done
        }
    }

    private func recover(from error: any Error, _ history: inout LaneHistory) async -> Step {
        if Task.isCancelled { return .done }
        history.attempts += 1
        switch error {
        case LaneFailure.abandoned: return .done
        case LaneFailure.dependency(let name, let reason):
            consumer.logger.notice(
                "a lane waits", metadata: ["lane": "\(key)", "dependency": "\(name)", "reason": "\(reason)"])
            await consumer.waits(key, on: name)
            while true {
                history.isParkingFull = await consumer.parkIfDue(key, number)
                await Backoff.dependency.pause(attempt: history.attempts)
                guard await consumer.isConsuming, !Task.isCancelled, !consumer.factory.mayBeAvailable(name) else {
                    break
                }
                history.attempts += 1
            }
            await consumer.goesOn(key)
        case let failure as EntryFailure:
            history.failed(failure.entries.map(\.entry.position))
            consumer.metrics.entryFailures.increment()
            consumer.logger.warning(
                "an entry failed",
                metadata: ["lane": "\(key)", "reason": "\(failure.reason)", "attempt": "\(history.attempts)"])
            await Backoff.entry.pause(attempt: history.attempts)
        default:
            consumer.logger.warning("a lane failed", metadata: ["lane": "\(key)", "error": "\(error)"])
            await Backoff.entry.pause(attempt: history.attempts)
        }
        return await isOver ? .done : .reopen
    }
}
