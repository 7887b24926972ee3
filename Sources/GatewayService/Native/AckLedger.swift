import AudioStreams
import EarshotModel

/// How many of a device's messages have which durability, over all sessions of its connection; pure.
struct AckLedger {
    /// What the device is told: messages below `next` have this durability.
    struct Promise: Equatable {
        var next: UInt64
        var durability: AckDurability
    }

    private let wanted: AckDurability
    /// Messages that came, by the number behind the last.
    var received: UInt64
    /// Messages that were appended and found their session unchanged behind them.
    private(set) var appended: UInt64
    /// Those of them that Redis is known to have on disk, where its answer does not say so.
    private(set) var onDisk: UInt64
    /// Messages in stored parts.
    private(set) var stored: UInt64

    /// A connection's, that goes on with a message.
    ///
    /// - Parameters:
    ///   - wanted: what the device asked for.
    ///   - next: the number of the first message that will come.
    ///   - first: the number of the oldest message the device still had; those before it were acknowledged.
    init(wanted: AckDurability, next: UInt64, first: UInt64) {
        self.wanted = wanted
        received = next
        appended = next
        onDisk = first
        stored = first
    }

    mutating func appended(below next: UInt64) { appended = max(appended, next) }
    mutating func onDisk(below next: UInt64) { onDisk = max(onDisk, next) }
    mutating func stored(below next: UInt64) { stored = max(stored, next) }

    /// The promise that can be given; it names the level really given where the wanted one cannot be.
    ///
    /// - Parameters:
    ///   - store: what an answer of Redis is worth now.
    ///   - isStoring: whether the session's audio is stored at all.
    /// - Returns: how many messages, and their durability.
    func promise(store: StoreDurability, isStoring: Bool) -> Promise {
        switch wanted {
        case .received: Promise(next: received, durability: .received)
        case .redis: Promise(next: appended, durability: .redis)
        case .stored where isStoring: Promise(next: min(stored, received), durability: .stored)
        case .fsynced, .stored:
            switch store {
            case .memory: Promise(next: appended, durability: .redis)
            case .disk: Promise(next: appended, durability: .fsynced)
            case .diskLater: Promise(next: onDisk, durability: .fsynced)
            }
        }
    }

    /// Whether the device still waits for something.
    func isOwed(_ promise: Promise) -> Bool { promise.next < received }
}
