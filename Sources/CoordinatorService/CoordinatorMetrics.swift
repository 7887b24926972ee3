import AudioStreams
import CoreMetrics
import EarshotModel

/// What a coordinator counts; labels are groups, streams and kinds of repair.
struct CoordinatorMetrics: Sendable {
    let liveSessions: Gauge
    let conversationsCompleted: Counter
    let roundDuration: Timer
    private let factory: any MetricsFactory

    init(factory: any MetricsFactory) {
        self.factory = factory
        liveSessions = Gauge(label: "coordinator.sessions.live", factory: factory)
        conversationsCompleted = Counter(label: "coordinator.conversations.completed", factory: factory)
        roundDuration = Timer(label: "coordinator.round.duration", factory: factory)
    }

    func repaired(_ kind: Repair, _ count: Int = 1) {
        Counter(label: "coordinator.repairs", dimensions: [("kind", kind.rawValue)], factory: factory)
            .increment(by: count)
    }

    func trimmed(_ stream: StreamKind, _ count: Int) {
        Counter(label: "coordinator.entries.trimmed", dimensions: [("stream", stream.rawValue)], factory: factory)
            .increment(by: count)
    }

    /// Records a group's sums over this coordinator's partitions.
    func lag(_ group: WorkerGroup, _ lag: LagSum) {
        let gauge = { (name: String) in
            Gauge(label: "group.\(name)", dimensions: [("group", group.name)], factory: factory)
        }
        gauge("lag.entries").record(lag.entries)
        gauge("lag.seconds").record(lag.seconds)
        gauge("lag.longest.seconds").record(lag.longest / .seconds(1))
        gauge("lag.unknown.partitions").record(lag.unknownPartitions)
        gauge("parked.entries").record(lag.parkedEntries)
    }

    func trimmedUnread(_ group: WorkerGroup, _ count: Int64) {
        Counter(label: "group.entries.trimmed_unread", dimensions: [("group", group.name)], factory: factory)
            .increment(by: count)
    }
}
