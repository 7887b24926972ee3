import AudioStreams
import CoreMetrics
import EarshotModel
import Logging
import Supervision
import Synchronization
import WorkerRuntime

/// The rounds of one coordinator, and what it has seen so far; one loop owns it.
struct Reconciliation {
    let configuration: Coordinator.Configuration
    let handOff: any HandOff
    let metrics: CoordinatorMetrics
    let supervision: Supervision
    let logger: Logger
    var gateways: GatewayWatch
    var groupLeases: [WorkerGroup: LapseObserver<Partition, Lease.Sighting>] = [:]
    /// The partitions whose groups were enabled under the leases of now.
    var enabled: Set<Partition> = []
    /// Every partition this process has seen, in which of Redis' lives (protocol.md M14).
    var incarnations: [Partition: String] = [:]
    /// The members of every kind, as `forgetMembersIfDue` has seen them.
    var members: [WorkerGroup: LapseObserver<String, Int64>] = [:]
    var membersLookedAt: ContinuousClock.Instant?
    var lagMeasuredAt: ContinuousClock.Instant?
    /// When a round was whole last.
    private var succeededAt: ContinuousClock.Instant?
    /// Unread entries that were trimmed, as told so far.
    var trimmedUnread: [WorkerGroup: [Partition: Int64]] = [:]

    var limits: Limits { configuration.limits }

    init(
        configuration: Coordinator.Configuration, handOff: any HandOff, metrics: CoordinatorMetrics,
        supervision: Supervision, logger: Logger
    ) {
        self.configuration = configuration
        self.handOff = handOff
        self.metrics = metrics
        self.supervision = supervision
        self.logger = logger
        gateways = GatewayWatch(limits: configuration.limits)
    }

    /// One round; a failure ends it, and with it every observation of who is dead.
    mutating func round(under book: LeaseBook) async {
        let began = ContinuousClock.now
        do throws(HandOffError) {
            let partitions = book.tokens.keys.sorted()
            try await enableGroups(in: partitions, book)
            // A beat that changed did so before its answer came, and one that did not stood still until it was asked
            // for: no pause of this process or of Redis, between whatever lines, makes it look old (protocol.md H1).
            let asked = ContinuousClock.now
            gateways.sawMembers(try await handOff.members(kind: WorkerGroup.gateway.name), at: .now)
            try await endOrphans(in: partitions, asOf: asked, book)
            try await settleConversations(in: partitions, book)
            try await passUnwanted(in: partitions, book)
            try await trim(partitions, book)
            try await measureLagIfDue(in: partitions)
            try await forgetMembersIfDue()
            succeededAt = .now
        } catch {
            gateways.contactLost(at: .now)
            for group in groupLeases.keys { groupLeases[group]?.contactLost(at: .now) }
            for kind in members.keys { members[kind]?.contactLost(at: .now) }
            logger.warning("a round of reconciliation failed", metadata: ["error": "\(error)"])
            if let last = succeededAt, began - last > limits.leaseLapse {
                metrics.forgetPartitions(configuration.groups)
                lagMeasuredAt = nil
            }
        }
        metrics.roundDuration.recordNanoseconds(Int64((ContinuousClock.now - began) / .nanoseconds(1)))
    }

    // MARK: Fan-out

    /// What the pieces of a fan-out use: no state of the rounds.
    struct Context: Sendable {
        let handOff: any HandOff
        let metrics: CoordinatorMetrics
        let logger: Logger
        let limits: Limits
    }

    /// Does something for each element, some at a time; the first failure keeps the rest from beginning.
    func forEach<Element: Sendable>(
        _ elements: [Element], _ body: @escaping @Sendable (Element, Context) async throws(HandOffError) -> Void
    ) async throws(HandOffError) {
        let context = Context(handOff: handOff, metrics: metrics, logger: logger, limits: limits)
        let failure = FirstFailure()
        await supervision.fanOut(elements, concurrency: limits.reconcileConcurrency) { element in
            guard failure.error == nil else { return }
            do throws(HandOffError) {
                try await body(element, context)
            } catch {
                failure.note(error)
                throw error
            }
        }
        if let error = failure.error { throw error }
    }

    /// What failed first in a fan-out.
    private final class FirstFailure: Sendable {
        private let first = Mutex<HandOffError?>(nil)

        var error: HandOffError? { first.withLock { $0 } }

        func note(_ error: HandOffError) { first.withLock { $0 = $0 ?? error } }
    }
}
