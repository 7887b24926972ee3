import EarshotModel

/// The windows of one session on their way to one endpoint: what is sent next, what is skipped, what is settled.
///
/// No I/O and no clock of its own. At most one window is under way and one waits behind it.
struct WindowQueue {
    /// One under way, one behind it.
    private static let windowsMaximum = 2

    let policy: AudioEndpoint.Policy
    /// How long a window may take with the policy `latest` before its receiver is slow: as long as a window lasts.
    var patience = Duration.zero
    private var line: [AudioWindow] = []
    /// When the first of the line became the first.
    private var firstSince: ContinuousClock.Instant
    /// Whether the first of the line is being sent.
    private var isUnderWay = false
    /// Failures in a row, for the pause before the next attempt.
    private(set) var failures = 0
    private(set) var notBefore: ContinuousClock.Instant
    /// What is committed: everything before it has arrived or was skipped.
    private(set) var cursor: WindowCursor
    /// Whether the receiver is gone for good (410): nothing is sent any more.
    private(set) var isGone = false
    /// Windows that may be skipped although the policy is `all`: there is no room where they could wait.
    private var skipsLeft = 0
    /// Whether the one under way is not sent again, because newer ones were skipped already.
    private var dropsFirst = false

    init(_ cursor: WindowCursor, policy: AudioEndpoint.Policy, now: ContinuousClock.Instant) {
        self.cursor = cursor
        self.policy = policy
        notBefore = now
        firstSince = now
    }

    /// Whether everything that was offered has arrived or was skipped.
    var isSettled: Bool { line.isEmpty }

    /// Whether a window could be sent, now or at `notBefore`.
    var isReady: Bool { !isUnderWay && !line.isEmpty }

    /// Whether no window may be offered now; with the policy `latest` as long as the receiver is not slow.
    func isFull(now: ContinuousClock.Instant) -> Bool {
        guard line.count >= Self.windowsMaximum else { return false }
        return slowAt.map { now < $0 } ?? (skipsLeft == 0)
    }

    /// With the policy `latest`: when the receiver is slow, unless it takes a window before.
    var slowAt: ContinuousClock.Instant? {
        policy == .latest ? failures > 0 ? firstSince : firstSince + patience : nil
    }

    /// Since when the first of the line waits for its receiver.
    var waitingSince: ContinuousClock.Instant? { line.isEmpty ? nil : firstSince }

    /// Lets the next windows take the places of older ones, so many, instead of waiting.
    mutating func overflow(_ windows: Int) { skipsLeft = windows }

    /// Takes a window; with the policy `latest`, or when there is no room, it replaces one that waits.
    mutating func offer(_ window: AudioWindow, now: ContinuousClock.Instant) {
        guard !isGone else { return settle(window.end, window.sequence + 1) }
        switch policy {
        case .latest where line.count >= Self.windowsMaximum || (failures > 0 && !isUnderWay && !line.isEmpty):
            skipLast()
        case .all where line.count >= Self.windowsMaximum && skipsLeft > 0:
            skipsLeft -= 1
            if isUnderWay {
                dropsFirst = true
                skipLast()
            } else {
                skipFirst()
            }
        default: break
        }
        if line.isEmpty { firstSince = now }
        line.append(window)
        move()
    }

    /// The window to send now, with the number of skipped ones to announce.
    mutating func next(now: ContinuousClock.Instant) -> (window: AudioWindow, skipped: UInt64)? {
        guard isReady, now >= notBefore, let window = line.first else { return nil }
        isUnderWay = true
        return (window, cursor.skipped)
    }

    /// The window under way arrived.
    mutating func succeed(announced skipped: UInt64, now: ContinuousClock.Instant) {
        guard isUnderWay else { return }
        isUnderWay = false
        failures = 0
        firstSince = now
        cursor.skipped -= min(skipped, cursor.skipped)
        removeFirst()
        dropsFirst = false
    }

    /// The window under way did not arrive: it is sent again, unless the policy prefers the one behind it.
    mutating func fail(retryAt: ContinuousClock.Instant) {
        guard isUnderWay else { return }
        isUnderWay = false
        failures += 1
        notBefore = retryAt
        guard policy == .latest || dropsFirst, line.count > 1 else { return }
        skipFirst()
    }

    /// The receiver is gone for good.
    mutating func close() {
        isGone = true
        abandon()
    }

    /// Gives up what is in line: the receiver is gone, or the session has ended and it does not answer.
    ///
    /// - Returns: How many windows that were.
    @discardableResult
    mutating func abandon() -> Int {
        isUnderWay = false
        let count = line.count
        while !line.isEmpty { removeFirst() }
        return count
    }

    /// A gap lies between what is settled and the next window.
    mutating func jump(to sample: UInt64) {
        if isSettled { cursor.sample = max(cursor.sample, sample) }
    }

    private mutating func skipLast() {
        line.removeLast()
        cursor.skipped += 1
    }

    private mutating func skipFirst() {
        cursor.skipped += 1
        dropsFirst = false
        removeFirst()
    }

    private mutating func removeFirst() {
        let window = line.removeFirst()
        settle(window.end, window.sequence + 1)
        move()
    }

    /// Everything before the first in line is settled, gaps too.
    private mutating func move() {
        if let first = line.first { settle(first.start, first.sequence) }
    }

    private mutating func settle(_ sample: UInt64, _ sequence: UInt64) {
        cursor.sample = max(cursor.sample, sample)
        cursor.sequence = max(cursor.sequence, sequence)
    }
}
