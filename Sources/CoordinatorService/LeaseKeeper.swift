import AudioStreams
import EarshotModel
import Logging
import ServiceLifecycle
import Supervision
import WorkerRuntime

/// Keeps a coordinator's leases: beats, takes, renews and hands over, however long a round of reconciliation takes.
struct LeaseKeeper {
    let configuration: Coordinator.Configuration
    let handOff: any HandOff
    let logger: Logger
    let book: LeaseBook
    let onReady: @Sendable (Bool, String) -> Void

    /// Beats until a graceful shutdown, then gives the leases back.
    func run() async {
        let limits = configuration.limits
        var ownership = PartitionOwnership(
            group: .coordinator, stream: nil, member: configuration.member, partitions: configuration.partitions,
            handOff: handOff, limits: limits, logger: logger)
        var hasJoined = false
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            do throws(HandOffError) {
                if !hasJoined {
                    try await handOff.join(kind: WorkerGroup.coordinator.name, as: configuration.member)
                    hasJoined = true
                }
                let changes = await ownership.tick()
                guard changes.hadContact else { throw HandOffError(.unavailable, "Redis does not answer") }
                // Also those that could not be given back in an earlier round.
                let leaving = ownership.leaving
                book.replace(ownership.tokens.filter { !leaving.contains($0.key) })
                for partition in leaving { try await release(partition, &ownership) }
                onReady(true, "")
            } catch {
                book.replace(ownership.tokens)
                onReady(false, "Redis does not answer")
                logger.warning("no contact", metadata: ["error": "\(error)"])
            }
            await Supervision.sleepUntilShutdown(limits.heartbeatInterval)
        }
        onReady(false, "draining")
        book.replace([:])
        try? await handOff.leave(kind: WorkerGroup.coordinator.name, as: configuration.member)
        for partition in ownership.tokens.keys { try? await release(partition, &ownership) }
    }

    private func release(_ partition: Partition, _ ownership: inout PartitionOwnership) async throws(HandOffError) {
        if let token = ownership.tokens[partition] {
            try await handOff.release(token, group: .coordinator, partition: partition)
        }
        ownership.forget(partition)
    }
}
