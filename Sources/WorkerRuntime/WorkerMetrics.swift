package import CoreMetrics
package import EarshotModel

/// The counters of one group's runtime; labels are the group's name only.
package struct WorkerMetrics: Sendable {
    let commits: Counter
    let commitsRepeated: Counter
    let commitsRefused: Counter
    let deadLetters: Counter
    let duplicates: Counter
    let entryFailures: Counter
    let gaps: Counter
    let beyondGap: Counter
    let framesLost: Counter
    let interimsLost: Counter
    let lanesOpened: Counter
    let lateEntries: Counter
    let reliefs: Counter
    let rereads: Counter
    let readFailures: Counter
    let entriesRead: Counter
    let lanes: Gauge
    let partitions: Gauge
    let leasesLost: Counter
    let entriesParked: Counter
    let parkingsRefused: Counter
    let parkedEntries: Gauge
    let parkedBytes: Gauge
    private let group: WorkerGroup
    private let factory: any MetricsFactory

    /// The counters of a group.
    ///
    /// They are kept in the factory; tests pass their own.
    package init(group: WorkerGroup, factory: any MetricsFactory = MetricsSystem.factory) {
        self.group = group
        self.factory = factory
        let dimensions = [("group", group.name)]
        func counter(_ name: String) -> Counter {
            Counter(label: "worker.\(name)", dimensions: dimensions, factory: factory)
        }
        commits = counter("commits")
        commitsRepeated = counter("commits.repeated")
        commitsRefused = counter("commits.refused")
        deadLetters = counter("dead_letters")
        duplicates = counter("entries.duplicate")
        entryFailures = counter("entries.failed")
        gaps = counter("gaps")
        beyondGap = counter("entries.beyond_gap")
        framesLost = counter("frames.lost")
        interimsLost = counter("interims.lost")
        lanesOpened = counter("lanes.opened")
        lateEntries = counter("entries.late")
        reliefs = counter("lanes.relieved")
        rereads = counter("lanes.reread")
        readFailures = counter("reads.failed")
        entriesRead = counter("entries.read")
        leasesLost = counter("leases.lost")
        entriesParked = counter("entries.parked")
        parkingsRefused = counter("parkings.refused")
        parkedEntries = Gauge(label: "worker.parked.entries", dimensions: dimensions, factory: factory)
        parkedBytes = Gauge(label: "worker.parked.bytes", dimensions: dimensions, factory: factory)
        lanes = Gauge(label: "worker.lanes", dimensions: dimensions, factory: factory)
        partitions = Gauge(label: "worker.partitions", dimensions: dimensions, factory: factory)
    }

    /// Counts a lease that was taken, by how its owner left it.
    func leaseTaken(_ mode: String) {
        Counter(
            label: "worker.leases.taken", dimensions: [("group", group.name), ("mode", mode)], factory: factory
        ).increment()
    }
}
