import AudioStreams
import CoreMetrics
import EarshotModel

/// What a coordinator counts; labels are groups, streams and kinds of repair.
struct CoordinatorMetrics: Sendable {
    let liveSessions = Gauge(label: "coordinator.sessions.live")

    let conversationsCompleted = Counter(label: "coordinator.conversations.completed")

    func repaired(_ kind: String) {
        Counter(label: "coordinator.repairs", dimensions: [("kind", kind)]).increment()
    }

    func trimmed(_ stream: StreamKind, _ count: Int) {
        Counter(label: "coordinator.entries.trimmed", dimensions: [("stream", stream.rawValue)]).increment(by: count)
    }

    func lag(_ group: WorkerGroup, _ entries: Int64) {
        Gauge(label: "group.lag.entries", dimensions: [("group", group.name)]).record(entries)
    }

    func lagUnknown(_ group: WorkerGroup, _ partitions: Int) {
        Gauge(label: "group.lag.unknown.partitions", dimensions: [("group", group.name)]).record(partitions)
    }
}
