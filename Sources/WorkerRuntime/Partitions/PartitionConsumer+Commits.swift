import AudioStreams
import CoreMetrics
import DequeModule
import EarshotModel
import Logging

/// Numbered commits: one at a time, repeated until the outcome is known (protocol.md C7).
extension PartitionConsumer {
    /// Queues a lane's output and waits until it is durable.
    func commit(_ output: LaneOutput, of key: LaneKey) async throws(LaneFailure) {
        try await commit(
            Commit.Lane(
                session: key.session, progress: output.progress, events: output.events, finals: output.finals,
                again: output.again, heard: output.heard, speech: output.speech), of: key)
    }

    /// Gives up on an entry: it goes to the dead letters in a commit that passes it.
    func bury(_ entry: LaneEntry, reason: String, progress: LaneProgress) async throws(LaneFailure) {
        metrics.deadLetters.increment()
        try await commit(
            Commit.Lane(
                session: entry.lane.session, progress: progress,
                deadLetters: [Commit.DeadLetter(entry: entry.entry, reason: reason)]), of: entry.lane)
    }

    private func commit(_ lane: Commit.Lane, of key: LaneKey) async throws(LaneFailure) {
        guard phase != .over else { throw .abandoned }
        // It waits for Redis now, and has got on when that answers.
        let number = lanes[key]?.number
        lanes[key]?.callSince = nil
        let isDurable = await withCheckedContinuation { continuation in
            pendingCommits.append(PendingCommit(lane: lane, key: key, continuation: continuation))
            wakeCommits()
        }
        if number != nil, lanes[key]?.number == number { lanes[key]?.callSince = .now }
        guard isDurable else { throw .abandoned }
    }

    func publish(_ result: LiveResult, to gateway: Incarnation) async {
        guard phase == .consuming else { return }
        do throws(HandOffError) {
            let isOurs = try await handOff.publish(
                result, to: gateway, token: token, group: group, partition: partition)
            if !isOurs { abandon() }
        } catch {
            metrics.interimsLost.increment()
        }
    }

    func wakeCommits() {
        let waiter = commitWaiter
        commitWaiter = nil
        waiter?.resume()
    }

    var isPositionDue: Bool {
        tracker.position != committedPosition
            && (phase != .consuming || ContinuousClock.now - lastCommitAt >= limits.positionCommitInterval)
    }

    func runCommits() async {
        while phase != .over {
            if pendingCommits.isEmpty && unparked.isEmpty && !isPositionDue {
                if phase == .handingOver && lanes.isEmpty { return }
                await withCheckedContinuation { commitWaiter = $0 }
                continue
            }
            await commitOnce()
        }
    }

    private func commitOnce() async {
        let batch = Array(pendingCommits.prefix(limits.commitLanesMaximum))
        pendingCommits.removeFirst(batch.count)
        var advances: [LaneKey] = []
        for pending in batch {
            guard let key = pending.key, var lane = lanes[key] else { continue }
            let progress = pending.lane.progress
            if progress.isDone || progress.next > lane.committedNext { advances.append(key) }
            lane.committedNext = max(lane.committedNext, progress.next)
            advance(&lane, to: progress.isDone ? .max : progress.next, of: key)
            lanes[key] = lane
        }
        let removals = unparked.values.prefix(limits.commitLanesMaximum)
        for removal in removals { unparked[removal.session] = nil }
        let position = tracker.position
        let isDurable = await execute(
            Commit(
                group: group, stream: routing.stream, partition: partition, token: token, number: commitNumber + 1,
                position: position == committedPosition ? nil : position, lanes: batch.map(\.lane),
                unparked: Array(removals)))
        if isDurable {
            commitNumber += 1
            committedPosition = position
            lastCommitAt = .now
            lastProgressAt = .now
            for key in advances { lanes[key]?.dependency = nil }
            if !advances.isEmpty { lastAdvanceAt = .now }
        }
        for pending in batch { pending.continuation?.resume(returning: isDurable) }
        if !isDurable { abandon() }
    }

    /// Repeats one commit until its outcome is known.
    private func execute(_ commit: Commit) async -> Bool {
        var attempt = 0
        while phase != .over {
            do throws(HandOffError) {
                switch try await handOff.commit(commit) {
                case .applied:
                    metrics.commits.increment()
                    return true
                case .repeated:
                    metrics.commitsRepeated.increment()
                    return true
                case .fenced, .outOfOrder:
                    metrics.commitsRefused.increment()
                    logger.notice("a commit was refused; the partition is another's")
                    return false
                }
            } catch {
                switch error.code {
                case .unavailable, .outOfMemory: break
                case .cancelled: return false
                case .refused, .malformedReply, .overtaken:
                    logger.error("a commit failed", metadata: ["error": "\(error)"])
                    return false
                }
            }
            attempt += 1
            await Backoff.dependency.pause(attempt: attempt)
            if Task.isCancelled { return false }
        }
        return false
    }
}
