import AudioStreams
import EarshotModel
import Logging

extension PartitionConsumer {
    /// The name under which the lease holds an entry in hand.
    static func hand(_ key: LaneKey, _ position: StreamPosition) -> String { "\(key)@\(position)" }

    /// In a replay: names the entry in the lease before it is touched.
    ///
    /// - Returns: how often this very entry killed its owner, or `nil` when the lease is lost.
    func takeInHand(_ key: LaneKey, _ position: StreamPosition) async -> Int? {
        guard replay.isInHand(key) else { return 0 }
        let hand = Self.hand(key, position)
        do throws(HandOffError) {
            let isOurs = try await handOff.takeInHand(
                hand, clearing: nil, token: token, group: group, partition: partition)
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

    /// The lane in hand has had everything the dead owner may have had: the next one's turn.
    func finishReplay(of key: LaneKey) async {
        let convicted = crashes.keys.filter { $0.hasPrefix("\(key)@") }
        for hand in convicted.isEmpty ? [nil] : convicted.map(Optional.some) {
            _ = try? await handOff.takeInHand(nil, clearing: hand, token: token, group: group, partition: partition)
        }
        releaseReplay(of: key)
    }

    func releaseReplay(of key: LaneKey) {
        if let next = replay.finish(key) {
            lanes[next]?.isHeldForReplay = false
            lanes[next]?.takeWaiter()?.resume()
        }
        advanceReplay()
    }

    func advanceReplay() {
        // The lane in hand waits for entries that may never come: look again once the horizon is read.
        for key in lanes.keys where replay.isInHand(key) && cursor >= replay.horizon {
            lanes[key]?.takeWaiter()?.resume()
        }
        if replay.endIfThrough(cursor: cursor) {
            logger.info("the replay is through")
        }
    }
}
