import AudioStreams
import CoreMetrics
import EarshotModel
import Logging

/// The task of one lane: opens its processor, feeds it in order, and deals with its failures.
struct LaneRunner {
    let key: LaneKey
    let consumer: PartitionConsumer

    /// What the current attempt knows.
    private struct Attempt {
        var processor: any LaneProcessor
        var opening: LaneOpening
        /// The sequence the next entry should begin with.
        var expected: UInt64
    }

    private enum Step {
        case next
        case reopen
        case done
    }

    func run() async {
        var failures: [StreamPosition: Int] = [:]
        var attempts = 0
        while true {
            switch await runOnce(failures: &failures, attempts: &attempts) {
            case .next, .reopen: continue
            case .done: break
            }
            break
        }
        await consumer.laneEnded(key)
        await consumer.releaseReplay(of: key)
    }

    /// Opens the lane and works until it ends or has to be opened again.
    private func runOnce(failures: inout [StreamPosition: Int], attempts: inout Int) async -> Step {
        let opening: LaneOpening
        do throws(HandOffError) {
            guard let found = try await openLane() else { return .done }
            opening = found
        } catch {
            if error.code == .cancelled { return .done }
            attempts += 1
            await Backoff.dependency.pause(attempt: attempts)
            return await consumer.isOver || Task.isCancelled ? .done : .reopen
        }
        let context = LaneContext(key: key, consumer: consumer)
        do {
            var attempt = Attempt(
                processor: try consumer.factory.open(opening), opening: opening, expected: opening.progress.next)
            attempts = 0
            while true {
                let input = await consumer.nextInput(of: key)
                switch try await handle(input, &attempt, context, &failures) {
                case .next: continue
                case .reopen: return .reopen
                case .done: return .done
                }
            }
        } catch {
            return await recover(from: error, &failures, &attempts)
        }
    }

    /// Looks the lane up; `nil` when it has nothing to do.
    private func openLane() async throws(HandOffError) -> LaneOpening? {
        guard case .session(let id) = key else {
            return LaneOpening(key: key, partition: consumer.partition, session: nil)
        }
        let session = try await consumer.handOff.session(id, group: consumer.group, in: consumer.partition)
        guard let session, !session.progress.isDone else {
            // Unknown to the registry, or passed before: late entries never open a lane (protocol.md C2).
            await consumer.ignore(key)
            return nil
        }
        await consumer.rewindIfReopened(key, to: session.progress.next)
        return LaneOpening(key: key, partition: consumer.partition, session: session)
    }

    private func handle(
        _ input: LaneInput, _ attempt: inout Attempt, _ context: LaneContext,
        _ failures: inout [StreamPosition: Int]
    ) async throws -> Step {
        switch input {
        case .entries(let entries):
            let step = try await take(entries, &attempt, context, failures)
            await consumer.absorbed(entries.count, of: key)
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

    /// Sorts entries into duplicates, late ones, markers and audio, and gives the processor what is new.
    private func take(
        _ entries: [LaneEntry], _ attempt: inout Attempt, _ context: LaneContext, _ failures: [StreamPosition: Int]
    ) async throws -> Step {
        var fresh: [LaneEntry] = []
        for var entry in entries {
            if let end = attempt.opening.session?.end, entry.entry.position > end {
                consumer.metrics.lateEntries.increment()
                continue
            }
            guard entry.nextSequence > attempt.expected else {
                consumer.metrics.duplicates.increment()
                await consumer.skip(key, to: attempt.opening.progress.next)
                continue
            }
            if let step = try await condemned(entry, &attempt, failures) { return step }
            if entry.isMarker {
                try await absorb(fresh, &attempt, context)
                return try await finish(entry, &attempt, context)
            }
            if entry.firstSequence > attempt.expected, case .session = key {
                consumer.metrics.gaps.increment()
                consumer.logger.warning(
                    "frames are missing in the stream",
                    metadata: ["session.id": "\(key)", "from": "\(attempt.expected)", "to": "\(entry.firstSequence)"])
            }
            entry.firstSequence = max(entry.firstSequence, attempt.expected)
            attempt.expected = entry.nextSequence
            fresh.append(entry)
        }
        try await absorb(fresh, &attempt, context)
        return .next
    }

    private func absorb(_ entries: [LaneEntry], _ attempt: inout Attempt, _ context: LaneContext) async throws {
        guard !entries.isEmpty else { return }
        do {
            try await attempt.processor.absorb(entries, in: context)
        } catch let failure as LaneFailure {
            guard case .entry(let reason) = failure else { throw failure }
            throw EntryFailure(entries: entries, reason: reason)
        } catch {
            throw EntryFailure(entries: entries, reason: "\(error)")
        }
    }

    private func finish(_ marker: LaneEntry, _ attempt: inout Attempt, _ context: LaneContext) async throws -> Step {
        guard case .end(let reason) = marker.audio?.content else { return .next }
        try await attempt.processor.finish(reason, marker: marker, in: context)
        await consumer.ignore(key)
        return .done
    }

    /// An entry that killed its owner too often, or failed too often, is buried instead of touched.
    private func condemned(
        _ entry: LaneEntry, _ attempt: inout Attempt, _ failures: [StreamPosition: Int]
    ) async throws -> Step? {
        guard let crashes = await consumer.takeInHand(key, entry.entry.position) else { return .done }
        let limits = consumer.limits
        let reason: String
        if crashes >= limits.crashesMaximum {
            reason = "crashed its worker \(crashes) times"
        } else if failures[entry.entry.position, default: 0] >= limits.entryAttemptsMaximum {
            reason = "failed \(limits.entryAttemptsMaximum) times"
        } else {
            return nil
        }
        guard !entry.isMarker else { return nil }
        consumer.logger.error(
            "an entry is given up", metadata: ["session.id": "\(key)", "entry": "\(entry.entry.position)", "reason": "\(reason)"])
        var progress = attempt.opening.progress
        progress.next = max(progress.next, entry.nextSequence)
        try await consumer.bury(entry, reason: reason, progress: progress)
        // What the lane held of the frames before is decided by its processor: it opens again behind the entry.
        return .reopen
    }

    private func recover(
        from error: any Error, _ failures: inout [StreamPosition: Int], _ attempts: inout Int
    ) async -> Step {
        if Task.isCancelled { return .done }
        attempts += 1
        switch error {
        case LaneFailure.abandoned: return .done
        case LaneFailure.dependency(let name, let reason):
            consumer.logger.notice(
                "a lane waits", metadata: ["lane": "\(key)", "dependency": "\(name)", "reason": "\(reason)"])
            await consumer.setWaiting(true, key)
            await Backoff.dependency.pause(attempt: attempts)
            await consumer.setWaiting(false, key)
        case let failure as EntryFailure:
            // Which of several entries failed is found by feeding them one at a time from now on.
            for entry in failure.entries { failures[entry.entry.position, default: 0] += 1 }
            consumer.metrics.entryFailures.increment()
            consumer.logger.warning(
                "an entry failed", metadata: ["lane": "\(key)", "reason": "\(failure.reason)", "attempt": "\(attempts)"])
            await Backoff.entry.pause(attempt: attempts)
        default:
            consumer.logger.warning("a lane failed", metadata: ["lane": "\(key)", "error": "\(error)"])
            await Backoff.entry.pause(attempt: attempts)
        }
        return await consumer.isOver ? .done : .reopen
    }

    /// Entries that a processor could not take in.
    private struct EntryFailure: Error {
        var entries: [LaneEntry]
        var reason: String
    }
}
