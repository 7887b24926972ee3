import AudioStreams
import CoreMetrics
import EarshotModel

/// What a coordinator counts; labels are groups, streams and kinds of repair.
struct CoordinatorMetrics: Sendable {
    let conversationsCompleted: Counter
    let roundDuration: Timer
    private let factory: any MetricsFactory

    init(factory: any MetricsFactory) {
        self.factory = factory
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

    /// Records how many sessions are live in this coordinator's partitions.
    func liveSessions(_ count: Int) { liveSessions.record(count) }

    /// Records a group's sums over this coordinator's partitions.
    func lag(_ group: WorkerGroup, _ lag: LagSum) {
        let values = [
            Double(lag.entries), lag.seconds, lag.longest / .seconds(1), Double(lag.unknownPartitions),
            Double(lag.parkedEntries),
        ]
        for (name, value) in zip(Self.lagNames, values) { gauge(name, group).record(value) }
    }

    /// Takes back what was recorded of this coordinator's partitions: others may own them by now, and whoever adds up
    /// the coordinators would count them twice.
    func forgetPartitions(_ groups: EnabledGroups) {
        liveSessions.destroy()
        for group in groups.byStream.flatMap(\.groups) {
            for name in Self.lagNames { gauge(name, group).destroy() }
        }
    }

    private static let lagNames = [
        "lag.entries", "lag.seconds", "lag.longest.seconds", "lag.unknown.partitions", "parked.entries",
    ]

    private var liveSessions: Gauge { Gauge(label: "coordinator.sessions.live", factory: factory) }

    private func gauge(_ name: String, _ group: WorkerGroup) -> Gauge {
        Gauge(label: "group.\(name)", dimensions: [("group", group.name)], factory: factory)
    }

    func trimmedUnread(_ group: WorkerGroup, _ count: Int64) {
        Counter(label: "group.entries.trimmed_unread", dimensions: [("group", group.name)], factory: factory)
            .increment(by: count)
    }
}
