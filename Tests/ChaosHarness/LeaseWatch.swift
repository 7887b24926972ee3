import EarshotModel
import RedisClient
import Synchronization

/// Watches the beats of all leases, to tell those that a dead process holds.
final class LeaseWatch: Sendable {
    private struct Key: Hashable {
        var partition: Partition
        var group: WorkerGroup
    }

    private struct Sighting {
        var lease: RedisView.HeldLease
        var changed: ContinuousClock.Instant
    }

    /// Six heartbeats: a live owner's lease has changed by then.
    private static let patience: Duration = .seconds(3)
    private static let interval: Duration = .milliseconds(500)

    private let view: RedisView
    private let sightings = Mutex<[Key: Sighting]>([:])

    init(_ view: RedisView) { self.view = view }

    /// Looks until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            if let leases = try? await view.leases(of: view.leasingGroups) { note(leases) }
            try? await rest(Self.interval)
        }
    }

    /// Held leases whose owner gives no sign of life.
    var dead: [RedisView.HeldLease] {
        sightings.withLock { $0.values.filter { $0.changed + Self.patience < .now }.map(\.lease) }
    }

    /// Leases that somebody holds.
    var heldCount: Int { sightings.withLock(\.count) }

    private func note(_ leases: [RedisView.HeldLease]) {
        sightings.withLock { sightings in
            let before = sightings
            sightings = [:]
            for lease in leases {
                let key = Key(partition: lease.partition, group: lease.group)
                var sighting = before[key] ?? Sighting(lease: lease, changed: .now)
                if sighting.lease.beat != lease.beat || sighting.lease.token != lease.token { sighting.changed = .now }
                sighting.lease = lease
                sightings[key] = sighting
            }
        }
    }
}
