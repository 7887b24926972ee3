import AudioStreams
import CoreMetrics
import EarshotModel
import Logging

/// Parking: a lane that waits for long leaves its entries aside, so that the group's position goes on (protocol.md C6).
///
/// The lane's own task parks, between two attempts, so nothing else touches its entries meanwhile.
extension PartitionConsumer {
    /// What the partition's lanes have parked.
    var parkedTotals: (entries: Int, bytes: Int) {
        lanes.values.reduce((0, 0)) { ($0.0 + ($1.parking?.entries ?? 0), $0.1 + ($1.parking?.bytes ?? 0)) }
    }

    /// Parks everything a waiting lane has, if it has waited for long or the partition cannot be read because of what
    /// its lanes have.
    ///
    /// - Returns: Whether it should have been parked, and the quota was full.
    func parkIfDue(_ key: LaneKey, _ number: Int) async -> Bool {
        guard case .session(let id) = key else { return false }
        while isParkingDue(key, number), let lane = lanes[key] {
            let positions = lane.pending.prefix(limits.parkEntriesMaximum).map(\.position)
            guard let last = positions.last else { return false }
            do throws(HandOffError) {
                switch try await handOff.park(positions, of: id, token: token, group: group, partition: partition) {
                case .parked(let parked): passParked(key, number, through: last, parked)
                case .full:
                    metrics.parkingsRefused.increment()
                    logger.warning("a lane cannot park: the quota is full", metadata: ["lane": "\(key)"])
                    return true
                case .fenced:
                    abandon()
                    return false
                }
            } catch {
                logger.debug("a lane could not park", metadata: ["lane": "\(key)", "error": "\(error)"])
                return false
            }
        }
        return false
    }

    private func isParkingDue(_ key: LaneKey, _ number: Int) -> Bool {
        guard phase == .consuming, let lane = lanes[key], lane.number == number else { return false }
        if let predecessor = lane.predecessor {
            // Who waits for a lane that waits for long will wait as long.
            if lane.parking != nil || lanes[predecessor]?.parking != nil { return true }
        } else {
            guard let dependency = lane.dependency else { return false }
            // What has parked before waits still: the rest follows at once.
            if lane.parking != nil || ContinuousClock.now - dependency.since >= limits.parkAfter { return true }
        }
        return lanes.values.reduce(0) { $0 + $1.unabsorbed } >= limits.partitionUnabsorbedMaximum
    }

    private func passParked(_ key: LaneKey, _ number: Int, through last: StreamPosition, _ parked: ParkedLane) {
        guard phase == .consuming, var lane = lanes[key], lane.number == number else { return }
        var count = 0
        while let first = lane.pending.first, first.position <= last {
            tracker.pass(first.handle)
            lane.pending.removeFirst()
            count += 1
        }
        metrics.entriesParked.increment(by: count)
        if parked.entries > 0 {
            var parking = lane.parking ?? LaneParking(parked)
            parking.parked(parked)
            lane.parking = parking
        }
        lane.emptyInbox()
        // It may wait for hours, and a replay waits for its lanes; the next one has it again.
        lane.isHeldForReplay = false
        lanes[key] = lane
        releaseReplay(of: key)
        wakeCommits()
        roomMayHaveCome()
    }

    /// Feeds a lane the next of what it has parked.
    func feedParked(_ key: LaneKey, _ number: Int) async {
        guard case .session(let id) = key, let after = lanes[key]?.parking?.cursor else { return }
        let entries: [StreamEntry]
        do throws(HandOffError) {
            entries = try await handOff.parkedEntries(
                of: id, group: group, in: partition, after: after, count: limits.waitingLaneEntriesMaximum)
        } catch {
            await Backoff.dependency.pause(attempt: 2)
            return
        }
        guard phase != .over, var lane = lanes[key], lane.number == number, lane.parking?.cursor == after else {
            return
        }
        for entry in entries {
            guard case .lane(let routed) = routing.route(entry, 0) else { continue }
            lane.enqueue(routed)
            lane.parking?.feed(routed)
            lane.unabsorbed += 1
        }
        lane.parking?.read(through: entries.last?.position)
        lane.lastEntryAt = .now
        lane.wasToldIdle = false
        // Nothing there although there should be: Redis has lost it, which the lane finds as a gap.
        if lane.parking?.isThrough == true { unpark(&lane, below: .max, of: key) }
        lanes[key] = lane
        wakeCommits()
    }

    /// Passes parked entries below a sequence number; the next commit removes them.
    func unpark(_ lane: inout LaneState, below next: UInt64, of key: LaneKey) {
        guard var parking = lane.parking, let id = key.session else { return }
        if next == .max {
            unparked[id] = Commit.Unparked(session: id, keptFrom: nil)
            lane.parking = nil
        } else if parking.pass(below: next) {
            unparked[id] = parking.unparked(of: id)
            lane.parking = parking.isThrough ? nil : parking
        }
    }
}
