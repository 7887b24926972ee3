import AudioStreams
import CoreMetrics
import EarshotModel
import Logging

/// What becomes of entries: duplicates, late ones, markers, audio, and those that are given up.
extension LaneRunner {
    /// Sorts entries and gives the processor what is new.
    func take(
        _ entries: [LaneEntry], _ attempt: inout Attempt, _ context: LaneContext, _ history: inout LaneHistory
    ) async throws -> Step {
        var fresh: [LaneEntry] = []
        var hasDuplicates = false
        for (index, entry) in entries.enumerated() {
            if let end = attempt.opening.session?.end, entry.entry.position > end {
                consumer.metrics.lateEntries.increment()
                continue
            }
            guard entry.nextSequence > attempt.expected else {
                consumer.metrics.duplicates.increment()
                hasDuplicates = true
                continue
            }
            switch try await gap(before: entry, attempt) {
            case .none: break
            case .uncounted:
                consumer.metrics.beyondGap.increment()
                attempt.hasPassedGap = true
                continue
            case .counted where attempt.hasPassedGap:
                // What was passed by counts after all: it is read again.
                try await absorb(fresh, &attempt, context, &history)
                return .reopen
            case .counted: break
            }
            guard let crashes = await consumer.takeInHand(key, number, entry.entry.position) else { return .done }
            if let reason = verdict(on: entry, crashes: crashes, history) {
                try await absorb(fresh, &attempt, context, &history)
                // One more crash than convicted it: the burial itself is what kills, by what the lane holds.
                let cuts = crashes <= consumer.limits.crashesMaximum
                return try await giveUp(entry, reason, cutting: cuts, &attempt, context, &history)
            }
            if entry.isMarker {
                try await absorb(fresh, &attempt, context, &history)
                consumer.metrics.lateEntries.increment(by: entries.count - index - 1)
                return try await finish(entry, &attempt, context)
            }
            fresh.append(inOrder(entry, &attempt))
            if history.isCareful(at: entry.entry.position) {
                try await absorb(fresh, &attempt, context, &history)
                fresh = []
            }
        }
        try await absorb(fresh, &attempt, context, &history)
        if hasDuplicates { await consumer.skip(key, number) }
        return .next
    }

    /// What lies before an entry.
    private enum Gap {
        case none
        /// Frames that were acknowledged are missing, or nobody will send them again: the lane goes on.
        case counted
        /// Nothing from the gap on was acknowledged: the device sends it again, to the next session.
        case uncounted
    }

    /// What an entry stands behind; decided by what was acknowledged (protocol.md M10).
    ///
    /// A gateway never acknowledges a numbered session past an append that was refused, and ends it. Were the entries
    /// behind it taken, what the next session sends again would be passed as a repetition.
    private func gap(before entry: LaneEntry, _ attempt: Attempt) async throws(LaneFailure) -> Gap {
        guard !entry.isMarker, entry.firstSequence > attempt.expected, case .session(let id) = key,
            entry.audio?.flags.contains(.numbered) == true
        else { return .none }
        do throws(HandOffError) {
            let session = try await consumer.handOff.session(id, group: consumer.group, in: consumer.partition)
            guard let last = session?.last, last >= attempt.expected else { return .uncounted }
            return .counted
        } catch {
            throw .dependency(name: "redis", reason: "\(error)")
        }
    }

    /// Cuts off what the lane had before, and counts what is missing in between.
    private func inOrder(_ entry: LaneEntry, _ attempt: inout Attempt) -> LaneEntry {
        var entry = entry
        if entry.firstSequence > attempt.expected, key.session != nil {
            missing(from: attempt.expected, to: entry.firstSequence)
        }
        entry.firstSequence = max(entry.firstSequence, attempt.expected)
        attempt.expected = entry.nextSequence
        return entry
    }

    func missing(from: UInt64, to: UInt64) {
        consumer.metrics.gaps.increment()
        consumer.metrics.framesLost.increment(by: Int64(clamping: to - from))
        consumer.logger.warning(
            "frames are missing", metadata: ["session.id": "\(key)", "from": "\(from)", "to": "\(to)"])
    }

    private func absorb(
        _ entries: [LaneEntry], _ attempt: inout Attempt, _ context: LaneContext, _ history: inout LaneHistory
    ) async throws {
        guard !entries.isEmpty else { return }
        try await counting(against: entries) { try await attempt.processor.absorb(entries, in: context) }
        for entry in entries { history.forget(entry.entry.position) }
    }

    private func finish(_ marker: LaneEntry, _ attempt: inout Attempt, _ context: LaneContext) async throws -> Step {
        guard case .end(let reason) = marker.audio?.content else { return .next }
        try await counting(against: [marker]) {
            try await attempt.processor.finish(reason, marker: marker, in: context)
        }
        await consumer.ignore(key)
        return .done
    }

    /// Whatever is neither a dependency's nor the lease's fault counts against the entries in hand.
    private func counting(against entries: [LaneEntry], _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let failure as LaneFailure {
            guard case .entry(let reason) = failure else { throw failure }
            throw EntryFailure(entries: entries, reason: reason)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw EntryFailure(entries: entries, reason: "\(error)")
        }
    }

    /// Why an entry is not touched any more, if so.
    private func verdict(on entry: LaneEntry, crashes: Int, _ history: LaneHistory) -> String? {
        let limits = consumer.limits
        if crashes >= limits.crashesMaximum { return "crashed its worker \(crashes) times" }
        guard history.failures(at: entry.entry.position) >= limits.entryAttemptsMaximum else { return nil }
        return "failed \(limits.entryAttemptsMaximum) times"
    }

    /// Buries an entry behind everything the lane holds of the frames before it.
    ///
    /// A buried marker ends the session. Without a cut what the lane holds is lost with the entry.
    private func giveUp(
        _ entry: LaneEntry, _ reason: String, cutting: Bool, _ attempt: inout Attempt, _ context: LaneContext,
        _ history: inout LaneHistory
    ) async throws -> Step {
        consumer.logger.error(
            "an entry is given up",
            metadata: ["lane": "\(key)", "entry": "\(entry.entry.position)", "reason": "\(reason)"])
        do {
            if cutting { try await attempt.processor.cut(in: context) }
        } catch let failure as LaneFailure {
            guard case .entry(let cause) = failure else { throw failure }
            consumer.logger.error("what the lane held is lost with it", metadata: ["reason": "\(cause)"])
        }
        var progress = try await committedProgress()
        // Before its first commit a lane stands where its predecessor left it.
        progress.next = max(progress.next, attempt.opening.progress.next)
        if entry.isMarker {
            progress.isDone = true
        } else {
            if progress.next < entry.firstSequence, key.session != nil {
                missing(from: progress.next, to: entry.firstSequence)
            }
            progress.next = max(progress.next, entry.nextSequence)
        }
        try await consumer.bury(entry, reason: reason, progress: progress)
        history.forget(entry.entry.position)
        guard entry.isMarker else { return .reopen }
        await consumer.ignore(key)
        return .done
    }

    /// The group's progress as it stands now: the processor may have committed since it was opened.
    private func committedProgress() async throws(LaneFailure) -> LaneProgress {
        guard case .session(let id) = key else { return LaneProgress() }
        do throws(HandOffError) {
            let session = try await consumer.handOff.session(id, group: consumer.group, in: consumer.partition)
            return session?.progress ?? LaneProgress()
        } catch {
            throw .dependency(name: "redis", reason: "\(error)")
        }
    }
}
