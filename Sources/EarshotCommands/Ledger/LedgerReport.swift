import SessionRecord

/// An account as `earshot audit` shows it.
struct LedgerReport: Encodable, Equatable {
    var sessionID: String?
    var sessions: Int
    var messages: UInt64
    var stored: UInt64
    var notWanted: UInt64
    var inFlight: [String: UInt64]
    var deadLettered: UInt64
    var lost: [String: UInt64]
    var unaccounted: UInt64
    /// Messages that are in more than one part.
    var repeated: UInt64
    var segments: Int
    /// Sessions of which a dead gateway may have had more than anybody counted.
    var unknownTails: Int
    /// Sessions that Redis lost and whose end nobody recorded.
    var vanished: Int

    /// The sum of accounts.
    init(_ accounts: [SessionAccount], sessionID: String? = nil) {
        self.sessionID = sessionID
        sessions = accounts.count
        messages = accounts.reduce(0) { $0 + $1.messages }
        stored = accounts.reduce(0) { $0 + $1.stored }
        notWanted = accounts.reduce(0) { $0 + $1.notWanted }
        deadLettered = accounts.reduce(0) { $0 + $1.dead }
        unaccounted = accounts.reduce(0) { $0 + $1.unaccounted }
        repeated = accounts.reduce(0) { $0 + $1.repeated }
        segments = accounts.reduce(0) { $0 + $1.segments }
        unknownTails = accounts.count(where: \.hasUnknownTail)
        vanished = accounts.count(where: \.isVanished)
        inFlight = [:]
        lost = [:]
        for account in accounts {
            for (place, count) in account.inFlight { inFlight[place.rawValue, default: 0] += count }
            for (loss, count) in account.lost { lost[loss.rawValue, default: 0] += count }
        }
    }

    /// Adds another report.
    mutating func add(_ other: LedgerReport) {
        sessions += other.sessions
        messages += other.messages
        stored += other.stored
        notWanted += other.notWanted
        deadLettered += other.deadLettered
        unaccounted += other.unaccounted
        repeated += other.repeated
        segments += other.segments
        unknownTails += other.unknownTails
        vanished += other.vanished
        inFlight.merge(other.inFlight, uniquingKeysWith: +)
        lost.merge(other.lost, uniquingKeysWith: +)
    }

    /// One line for people.
    var text: String {
        var words = ["\(sessionID ?? "total: \(sessions) sessions"): \(messages) messages", "stored \(stored)"]
        if notWanted > 0 { words.append("not wanted \(notWanted)") }
        words.append("in flight \(inFlight.values.reduce(0, +))\(Self.list(inFlight))")
        if deadLettered > 0 { words.append("dead-lettered \(deadLettered)") }
        words.append("lost \(lost.values.reduce(0, +))\(Self.list(lost))")
        words.append("unaccounted \(unaccounted)")
        words.append("segments \(segments)")
        if repeated > 0 { words.append("in two parts \(repeated)") }
        if vanished > 0 { words.append("vanished from Redis without an end: at least 1 message each of \(vanished)") }
        if unknownTails > 0 { words.append("unknown tail of a dead gateway: \(unknownTails)") }
        return words.joined(separator: ", ")
    }

    private static func list(_ counts: [String: UInt64]) -> String {
        guard !counts.isEmpty else { return "" }
        return " (" + counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ") + ")"
    }
}
