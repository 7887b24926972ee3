import EarshotModel

/// A session's account: each of its messages in exactly one state, worked out of facts that do not know each other.
///
/// Nothing is assumed to be accounted for: what every group has passed and neither a part, a dead letter nor the record
/// knows is unaccounted. docs/ledger.md says what the states mean.
package struct SessionAccount: Equatable, Sendable {
    /// Where a message in flight is.
    package enum Place: String, Sendable, CaseIterable {
        /// In the stream or in a lane of the transcript group.
        case transcript
        /// In the stream or in the open part of the private-cloud group.
        case privateCloud = "private_cloud"
        /// Parked by one of them (protocol.md C6).
        case parked
        /// Passed by every group, and its event is not in the record yet.
        case record
    }

    /// Why a message is lost.
    package enum Loss: String, Sendable, CaseIterable {
        /// The device had given it up before it continued its session (protocol.md H9, H10).
        case notResent = "not_resent"
        /// Redis lost the session, and how many messages it had; counted as one.
        case redisRollback = "redis_rollback"
    }

    package var session: String
    /// In a part that the record names.
    package var stored: UInt64 = 0
    /// Heard, of a user whose audio is not stored.
    package var notWanted: UInt64 = 0
    package var inFlight: [Place: UInt64] = [:]
    package var dead: UInt64 = 0
    package var lost: [Loss: UInt64] = [:]
    /// At least so many messages are nowhere.
    package var unaccounted: UInt64 = 0
    /// Messages that are in more than one part.
    package var repeated: UInt64 = 0
    package var segments: Int = 0
    /// Whether a dead gateway may have had messages that nobody counted (protocol.md M12).
    package var hasUnknownTail = false
    /// Whether neither Redis nor Postgres has the session's end or its registry entry.
    package var isVanished = false
    /// The number behind the last message; a session that continues this one begins there.
    package var end: UInt64 = 0

    /// All messages.
    package var messages: UInt64 {
        stored + notWanted + dead + unaccounted + inFlight.values.reduce(0, +) + lost.values.reduce(0, +)
    }

    /// Adds up the facts; `nil` when neither Redis nor Postgres knows the session.
    package init?(_ facts: SessionFacts) {
        guard facts.registry != nil || facts.row != nil else { return nil }
        session = facts.session
        segments = facts.segments
        repeated = facts.parts.repeated
        let reason = facts.registry?.endReason ?? facts.row?.endReason
        hasUnknownTail = reason == "gateway_dead"
        if let registry = facts.registry {
            add(facts, registry)
        } else if let row = facts.row {
            add(facts, row)
        }
    }

    // MARK: With the registry's entry

    private mutating func add(_ facts: SessionFacts, _ registry: LedgerEntry) {
        var start = registry.from
        if registry.predecessor != nil, let before = facts.predecessorEnd {
            start = max(before, registry.first)
            if registry.first > before { lost[.notResent] = registry.first - before }
        } else if let row = facts.row, row.lostFrames > 0 {
            lost[.notResent] = row.lostFrames
        }
        end = max(
            start, registry.last.map { $0 + 1 } ?? 0, registry.transcript.next, registry.storage.next,
            facts.parts.end ?? 0)
        // Between two of these everything has one state.
        var cuts = [start, end, registry.transcript.next, registry.storage.next]
        for range in facts.parts.ranges + facts.dead.ranges { cuts += [range.lowerBound, range.upperBound] }
        let ordered = Set(cuts.filter { $0 >= start && $0 <= end }).sorted()
        for (first, next) in zip(ordered, ordered.dropFirst()) { place(first, count: next - first, facts, registry) }
    }

    private mutating func place(
        _ number: UInt64, count: UInt64, _ facts: SessionFacts, _ registry: LedgerEntry
    ) {
        if let place = Self.waiting(number, registry.transcript, .transcript, registry) {
            return note(place, count)
        }
        if registry.isStorageWanted, !facts.parts.contains(number),
            let place = Self.waiting(number, registry.storage, .privateCloud, registry)
        {
            return note(place, count)
        }
        if facts.parts.contains(number) {
            stored += count
        } else if facts.dead.contains(number) {
            dead += count
        } else if registry.transcript.next <= number {
            // It was acknowledged, and the group that hears everything was told of the end without having had it.
            unaccounted += count
        } else if facts.isRecordBehind {
            inFlight[.record, default: 0] += count
        } else if !registry.isStorageWanted, let row = facts.row, row.isEnded || !registry.transcript.isDone {
            notWanted += count
        } else {
            unaccounted += count
        }
    }

    private mutating func note(_ place: Place?, _ count: UInt64) {
        guard let place else { return unaccounted += count }
        inFlight[place, default: 0] += count
    }

    /// Where a message is that a group has not passed, `.some(nil)` for nowhere; `nil` when it has.
    private static func waiting(
        _ number: UInt64, _ progress: LedgerProgress, _ place: Place, _ registry: LedgerEntry
    ) -> Place?? {
        guard progress.next <= number, !progress.isDone else { return nil }
        if progress.parked > 0 { return .some(.parked) }
        // Its marker is trimmed away, and the group was never there.
        return registry.isGoneFromStream ? .some(nil) : .some(place)
    }

    // MARK: From the record alone

    private mutating func add(_ facts: SessionFacts, _ row: SessionFacts.Row) {
        if row.lostFrames > 0 {
            // A coordinator ended a session that Redis had lost: nobody heard of its frames.
            let isForgotten = row.endReason == EndReason.redisRollback.name && row.frames == 0
            lost[isForgotten ? .redisRollback : .notResent] = row.lostFrames
        }
        end = max(row.storedNext ?? 0, row.frames)
        guard row.isEnded else {
            stored = facts.parts.count
            if facts.isRecordBehind {
                inFlight[.record] = 1
            } else {
                isVanished = true
                unaccounted = 1
            }
            return
        }
        stored = facts.parts.count
        guard row.storedNext != nil || stored > 0 else {
            if facts.isRecordBehind { inFlight[.record] = row.frames } else { notWanted = row.frames }
            return
        }
        dead = min(facts.dead.count, row.frames - min(stored, row.frames))
        let missing = row.frames - min(stored + dead, row.frames)
        guard missing > 0 else { return }
        if facts.isRecordBehind { inFlight[.record] = missing } else { unaccounted = missing }
    }
}
