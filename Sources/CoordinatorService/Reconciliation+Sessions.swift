import AudioStreams
import CoreMetrics
import EarshotModel
import Logging

// Sessions of dead gateways, and conversations that are over.
extension Reconciliation {
    /// A live session of a gateway that is dead.
    private struct Orphan: Sendable {
        let session: SessionID
        let gateway: String
        let partition: Partition
        let death: GatewayWatch.Death
    }

    /// Ends the sessions of gateways that were dead when they were asked for; the function re-checks that the session
    /// is still that gateway's, and the partition ours (protocol.md H2).
    mutating func endOrphans(
        in partitions: [Partition], asOf asked: ContinuousClock.Instant, _ book: LeaseBook
    ) async throws(HandOffError) {
        var orphans: [Orphan] = []
        var named: Set<String> = []
        var live = 0
        for (partition, sessions) in try await handOff.liveSessions(in: partitions) {
            live += sessions.count
            for (session, gateway) in sessions {
                named.insert(gateway)
                guard let death = gateways.death(of: gateway, at: asked) else { continue }
                orphans.append(Orphan(session: session, gateway: gateway, partition: partition, death: death))
            }
        }
        metrics.liveSessions(live)
        gateways.forgetAbsent(except: named)
        try await forEach(orphans) { orphan, context throws(HandOffError) in
            guard let incarnation = Incarnation(orphan.gateway), let lease = book.tokens[orphan.partition],
                let known = try await context.handOff.session(
                    orphan.session, group: .transcript, in: orphan.partition)
            else { return }
            let outcome = try await context.handOff.end(
                SessionEnding(
                    session: orphan.session, user: known.user, epoch: known.epoch, lease: lease, gateway: incarnation,
                    reason: .gatewayDead, now: WallClock.microseconds), in: orphan.partition)
            guard case .ended = outcome else { return }
            context.metrics.repaired(Repair(orphan.death))
            context.logger.notice(
                "ended the session of a dead gateway",
                metadata: [
                    "session.id": "\(orphan.session)", "gateway": "\(orphan.gateway)",
                    "kind": "\(orphan.death.rawValue)",
                ])
        }
    }

    /// Completes the conversations that are over, transcribed and recorded.
    func settleConversations(in partitions: [Partition], _ book: LeaseBook) async throws(HandOffError) {
        let now = WallClock.microseconds
        let open = try await handOff.conversations(in: partitions)
        try await forEach(open.map { (partition: $0.key, conversations: $0.value) }) {
            element, context throws(HandOffError) in
            for conversation in element.conversations {
                guard let token = book.tokens[element.partition] else { return }
                try await context.settle(conversation, in: element.partition, now: now, token)
            }
        }
    }
}

extension Reconciliation.Context {
    fileprivate func settle(
        _ conversation: OpenConversation, in partition: Partition, now: Int64, _ token: FencingToken
    ) async throws(HandOffError) {
        var outcome = try await handOff.settle(conversation, times: 0, in: partition, now: now, token: token)
        if case .completedBefore(let times) = outcome {
            outcome = try await handOff.settle(conversation, times: times, in: partition, now: now, token: token)
        }
        if outcome == .completed { metrics.conversationsCompleted.increment() }
    }
}
