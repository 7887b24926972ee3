import AudioStreams
import CoreMetrics
import DequeModule
import EarshotModel

/// What the lanes' tasks ask of their partition.
///
/// A lane is named by its key and the number of its opening, because a
/// lane that was closed for quiet may be open again before the old task is through.
extension PartitionConsumer {
    /// Waits for what the lane does next; its processor wants to be called at `wakeAt`, whatever comes.
    func nextInput(of key: LaneKey, _ number: Int, wakeAt: ContinuousClock.Instant?) async -> LaneInput {
        if lanes[key]?.number == number {
            lanes[key]?.wakeAt = wakeAt
            lanes[key]?.callSince = nil
        }
        let input = await nextInput(of: key, number, wakeAt)
        if lanes[key]?.number == number { lanes[key]?.callSince = .now }
        return input
    }

    private func nextInput(of key: LaneKey, _ number: Int, _ wakeAt: ContinuousClock.Instant?) async -> LaneInput {
        while true {
            if Task.isCancelled { return .close }
            switch phase {
            case .over: return .close
            case .handingOver: return cutsAtHandOver ? .handOver : .close
            case .consuming: break
            }
            guard var lane = lanes[key], lane.number == number else { return .close }
            if !lane.isHeldForReplay {
                if lane.wantsRelief {
                    lane.wantsRelief = false
                    lanes[key] = lane
                    return .relieve
                }
                if lane.isWakeDue {
                    lane.isWakeDue = false
                    lanes[key] = lane
                    if let wakeAt, wakeAt <= .now { return .idle }
                }
                if !lane.inbox.isEmpty {
                    let entries = lane.takeInbox(upTo: replay.isReplaying ? 1 : limits.readCount)
                    lanes[key] = lane
                    return .entries(entries)
                }
                if let parking = lane.parking, parking.hasMore {
                    if parking.fedCount >= limits.parkedReplayMaximum, replay.isInHand(key) {
                        await finishReplay(of: key)
                    }
                    await feedParked(key, number)
                    continue
                }
                if let after = lane.rereadAfter {
                    await reread(key, number, after: after)
                    continue
                }
                if let input = quietInput(of: key) { return input }
                if replay.isInHand(key) {
                    if cursor >= replay.horizon {
                        await finishReplay(of: key)
                        continue
                    }
                    if !hasRoom, passTurn(of: key) { continue }
                }
            }
            // Whoever has the turn may have been unable to pass it on while this lane was away.
            if lane.isHeldForReplay { advanceReplay() }
            // The body runs at once, in this actor's turn: the lane looked at above is still there.
            await withCheckedContinuation { continuation in
                guard lanes[key] != nil else { return continuation.resume() }
                lanes[key]?.waiter = continuation
            }
        }
    }

    private func quietInput(of key: LaneKey) -> LaneInput? {
        guard let lane = lanes[key] else { return .close }
        let quiet = quiet(of: lane)
        if !lane.wasToldIdle, quiet >= limits.laneIdle {
            lanes[key]?.wasToldIdle = true
            return .idle
        }
        if lane.wasToldIdle, lane.wakeAt == nil, !lane.hasWork, quiet >= limits.laneClose, key != .stream,
            !replay.isReplaying
        {
            lanes[key] = nil
            return .close
        }
        return nil
    }

    /// Reads again what a lane's inbox had no room for, or what it gave back: only entries it has not passed yet.
    private func reread(_ key: LaneKey, _ number: Int, after: StreamPosition) async {
        let readUpTo = cursor
        let entries: [StreamEntry]
        do throws(HandOffError) {
            entries = try await handOff.entries(
                of: routing.stream, in: partition, after: after, count: limits.laneInboxEntriesMaximum)
        } catch {
            await Backoff.dependency.pause(attempt: 2)
            return
        }
        guard phase != .over, var lane = lanes[key], lane.number == number, lane.rereadAfter == after else { return }
        for entry in entries {
            guard let pending = lane.pending(at: entry.position) else { continue }
            if case .lane(let routed) = routing.route(entry, pending.number) { lane.enqueue(routed) }
        }
        // A short page held everything that stood in the stream when it was asked for.
        let isLast = entries.count < limits.laneInboxEntriesMaximum
        let last = max(entries.last?.position ?? after, isLast ? readUpTo : after)
        lane.rereadAfter = last >= cursor ? nil : last
        lanes[key] = lane
    }

    /// Notes that entries were absorbed.
    func absorbed(_ count: Int, of key: LaneKey, _ number: Int) {
        lastProgressAt = .now
        guard lanes[key]?.number == number else { return }
        lanes[key]?.unabsorbed -= count
        roomMayHaveCome()
    }

    /// Notes that a lane pauses because a dependency is away; it gives up its turn in a replay.
    func waits(_ key: LaneKey, on dependency: String) async {
        let since = lanes[key]?.dependency?.since ?? .now
        lanes[key]?.isWaiting = true
        lanes[key]?.callSince = nil
        lanes[key]?.dependency = (dependency, since)
        roomMayHaveCome()
        guard replay.isInHand(key) else { return }
        _ = passTurn(of: key)
        await putDown(clearing: nil)
    }

    /// Notes that a lane tries again.
    func goesOn(_ key: LaneKey) { lanes[key]?.isWaiting = false }

    /// Notes what a lane holds; over the partition's bound the one that holds most is told to cut (protocol.md C1).
    func hold(bytes: Int, of key: LaneKey) {
        lanes[key]?.heldBytes = bytes
        let total = lanes.values.reduce(0) { $0 + $1.heldBytes }
        guard total > limits.partitionHeldBytesMaximum else { return }
        let able = lanes.filter { !$0.value.wantsRelief && !$0.value.isWaiting && $0.value.heldBytes > 0 }
        guard let fullest = able.max(by: { $0.value.heldBytes < $1.value.heldBytes }) else { return }
        metrics.reliefs.increment()
        lanes[fullest.key]?.wantsRelief = true
        lanes[fullest.key]?.takeWaiter()?.resume()
    }

    /// Notes that a lane's task begins at a progress.
    ///
    /// The first time it just passes what was had before; after a failure it also reads again what was handed out since
    /// the last commit.
    func opened(_ key: LaneKey, _ number: Int, at next: UInt64) {
        guard var lane = lanes[key], lane.number == number else { return }
        lane.committedNext = max(lane.committedNext, next)
        advance(&lane, to: next, of: key)
        if lane.hasOpened {
            lane.emptyInbox()
            // What the attempt that failed was told is undone with it, also that nothing came for a while.
            if lane.hasWork { lane.wasToldIdle = false }
            if lane.rereadAfter != nil { metrics.rereads.increment() }
        } else {
            metrics.duplicates.increment(by: lane.dropPassed())
        }
        lane.heldBytes = 0
        lane.wantsRelief = false
        lane.callSince = nil
        lane.hasOpened = true
        lanes[key] = lane
        wakeCommits()
        roomMayHaveCome()
    }

    /// Passes entries that were had before, without a commit of the lane's own.
    func skip(_ key: LaneKey, _ number: Int) {
        guard var lane = lanes[key], lane.number == number else { return }
        advance(&lane, to: lane.committedNext, of: key)
        lanes[key] = lane
        wakeCommits()
    }

    /// Ends a lane for good: all its entries, now and later, are passed; those not handed out count as late.
    func ignore(_ key: LaneKey) async {
        if replay.isInHand(key), phase == .consuming { await finishReplay(of: key) }
        if var lane = lanes[key] {
            metrics.lateEntries.increment(by: lane.inbox.count)
            advance(&lane, to: .max, of: key)
            lanes[key] = nil
        }
        if ignored.count >= ignoredMaximum { ignored.removeAll() }
        ignored.insert(key)
        wakeCommits()
        releaseReplay(of: key)
        roomMayHaveCome()
    }

    /// Forgets a lane whose task ends, unless another task has the key by now.
    func laneEnded(_ key: LaneKey, _ number: Int) {
        guard lanes[key] == nil || lanes[key]?.number == number else { return }
        lanes[key] = nil
        wakeSuccessors(of: key)
        wakeCommits()
        releaseReplay(of: key)
        roomMayHaveCome()
    }

    func advance(_ lane: inout LaneState, to next: UInt64, of key: LaneKey) {
        while let first = lane.pending.first, first.nextSequence <= next {
            tracker.pass(first.handle)
            lane.pending.removeFirst()
        }
        unpark(&lane, below: next, of: key)
    }
}
