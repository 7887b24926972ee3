import AudioStreams
import EarshotModel
import Logging

/// The replay after a crash: one lane at a time, each entry named in the lease before it is touched (protocol.md H5).
extension PartitionConsumer {
    /// The name under which the lease holds an entry in hand.
    static func hand(_ key: LaneKey, _ position: StreamPosition) -> String { "\(key)@\(position)" }

    /// In a replay: names the entry in the lease before it is touched.
    ///
    /// Where crashes were counted before, only one partition of the process has an entry in hand at a time: the next
    /// crash must convict its cause and no bystander.
    ///
    /// - Returns: how often this very entry killed its owner, or `nil` when the lane has nothing more to do.
    func takeInHand(_ key: LaneKey, _ number: Int, _ position: StreamPosition) async -> Int? {
        let hand = Self.hand(key, position)
        guard replay.isInHand(key) else { return crashes[hand] ?? 0 }
        if !crashes.isEmpty, !gate.holds(self) {
            lanes[key]?.isWaiting = true
            await gate.enter(self)
            if lanes[key]?.number == number {
                lanes[key]?.isWaiting = false
                lanes[key]?.callSince = .now
            }
            guard phase == .consuming else {
                gate.leave(self)
                return nil
            }
        }
        // One entry at a time is handed out: the lane is past the one before, which did no harm.
        let before = named.flatMap { $0.key == key && $0.position < position ? Self.hand(key, $0.position) : nil }
        named = (key, position)
        do throws(HandOffError) {
            let isOurs = try await handOff.takeInHand(
                hand, clearing: before.flatMap { crashes[$0] == nil ? nil : $0 }, token: token, group: group,
                partition: partition)
            guard isOurs else {
                abandon()
                return nil
            }
        } catch {
            // Redis is away; the entry is touched without being named, so a crash now counts against nobody.
            logger.debug("an entry could not be named in the lease", metadata: ["error": "\(error)"])
        }
        return crashes[hand] ?? 0
    }

    /// Names nothing in the lease any more, forgets the crashes of an entry that did no harm, and lets others replay.
    func putDown(clearing cleared: String?) async {
        named = nil
        _ = try? await handOff.takeInHand(nil, clearing: cleared, token: token, group: group, partition: partition)
        gate.leave(self)
    }

    /// The lane in hand has had everything the dead owner may have had: the next one's turn.
    func finishReplay(of key: LaneKey) async {
        let acquitted = crashes.keys.filter { $0.hasPrefix("\(key)@") }
        for hand in acquitted.isEmpty ? [nil] : acquitted.map(Optional.some) { await putDown(clearing: hand) }
        releaseReplay(of: key)
    }

    /// Gives the turn to a lane that can use it; the lane that had it waits behind all others.
    ///
    /// - Returns: false when nobody can use it.
    func passTurn(of key: LaneKey) -> Bool {
        guard phase == .consuming,
            let next = replay.pass(
                from: key,
                to: { lane in
                    lanes[lane].map { $0.unabsorbed > 0 && !$0.isWaiting } ?? false
                })
        else { return false }
        lanes[key]?.isHeldForReplay = true
        lanes[next]?.isHeldForReplay = false
        lanes[next]?.takeWaiter()?.resume()
        return true
    }

    /// Whether nothing is replayed, or will be.
    var isSettled: Bool { phase == .consuming && !replay.isReplaying }

    func releaseReplay(of key: LaneKey) {
        if let next = replay.finish(key) {
            lanes[next]?.isHeldForReplay = false
            lanes[next]?.takeWaiter()?.resume()
        }
        advanceReplay()
    }

    func advanceReplay() {
        guard replay.isReplaying else { return }
        // The lane in hand waits for entries that may never come: look again once the horizon is read, or when nothing
        // more is read because of what the others hold.
        if let key = replay.inHand, cursor >= replay.horizon || !hasRoom { lanes[key]?.takeWaiter()?.resume() }
        if replay.endIfThrough(cursor: cursor) {
            gate.leave(self)
            logger.info("the replay is through")
        }
    }
}
