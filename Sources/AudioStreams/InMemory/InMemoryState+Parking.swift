import EarshotModel
import NIOCore

extension InMemoryState {
    mutating func park(
        _ positions: [StreamPosition], of session: SessionID, _ group: WorkerGroup, _ partition: Partition, quota: Int
    ) -> ParkedLane.Outcome {
        let known = partitions[partition]?.parked[group] ?? [:]
        var entries = known[session] ?? []
        let source = stream(.audio, partition).entries
        for position in positions where position > entries.last?.position ?? .start {
            entries += source.filter { $0.position == position }
        }
        let others = known.filter { $0.key != session }.values.joined()
        guard entries.count == known[session]?.count ?? 0 || Self.bytes(others) + Self.bytes(entries) <= quota else {
            return .full
        }
        if !entries.isEmpty { partitions[partition, default: .init()].parked[group, default: [:]][session] = entries }
        return .parked(Self.lane(session, entries))
    }

    mutating func unpark(_ unparked: Commit.Unparked, of commit: Commit) {
        let entries = partitions[commit.partition]?.parked[commit.group]?[unparked.session] ?? []
        let kept = entries.filter { entry in unparked.keptFrom.map { entry.position >= $0 } ?? false }
        partitions[commit.partition]?.parked[commit.group]?[unparked.session] = kept.isEmpty ? nil : kept
    }

    func parkedLanes(_ group: WorkerGroup, _ partition: Partition) -> [ParkedLane] {
        (partitions[partition]?.parked[group] ?? [:]).map { Self.lane($0.key, $0.value) }
    }

    private static func lane(_ session: SessionID, _ entries: [StreamEntry]) -> ParkedLane {
        ParkedLane(
            session: session, bytes: bytes(entries), entries: entries.count, first: entries.first?.position ?? .start,
            last: entries.last?.position ?? .start)
    }

    private static func bytes(_ entries: some Sequence<StreamEntry>) -> Int {
        entries.reduce(0) { $0 + $1.payload.readableBytes }
    }
}
