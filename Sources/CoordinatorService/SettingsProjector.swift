package import AudioStreams
import CoreMetrics
package import EarshotModel
package import Logging
import ServiceLifecycle
package import SessionRecord
import Supervision

/// Projects users' settings from Postgres into Redis, where gateways and workers read them.
///
/// Every replica does it; a projection is repeated without harm and an older one changes nothing. When another Redis
/// answers than before, or it has lost its data (protocol.md M14), everything is projected again.
package struct SettingsProjector: Service {
    private let store: any SettingsStore
    private let handOff: any HandOff
    private let partitions: Int
    private let limits: Limits
    private let logger: Logger
    private let projected = Counter(label: "coordinator.settings.projected")
    private let failures = Counter(label: "coordinator.settings.failures")

    /// A projector that does nothing until it runs.
    package init(
        store: any SettingsStore, handOff: any HandOff, partitions: Int, limits: Limits, logger: Logger
    ) {
        self.store = store
        self.handOff = handOff
        self.partitions = partitions
        self.limits = limits
        self.logger = logger
    }

    /// Projects until a graceful shutdown.
    package func run() async throws {
        var knownServer: String?
        var knownIncarnations: [Partition: String] = [:]
        let all = (0..<partitions).map { Partition($0) }
        while !Task.isCancelled && !Task.isShuttingDownGracefully {
            do {
                // Of the server of before: one that is replaced meanwhile has a part only.
                let server = handOff.serverIdentity
                let incarnations = try await handOff.incarnations(of: all)
                if server == nil || server != knownServer || incarnations != knownIncarnations {
                    try await projectAll()
                    knownServer = server
                    knownIncarnations = incarnations
                }
                try await projectPending()
            } catch {
                failures.increment()
                logger.notice("settings could not be projected", metadata: ["error": "\(error)"])
            }
            await Supervision.sleepUntilShutdown(limits.settingsInterval)
        }
    }

    private func projectAll() async throws {
        var last: UserID?
        while !Task.isShuttingDownGracefully {
            let page = try await store.all(after: last, limit: limits.settingsBatchMaximum)
            try await project(page)
            guard page.count == limits.settingsBatchMaximum else { return }
            last = page.last?.user
        }
    }

    private func projectPending() async throws {
        while !Task.isShuttingDownGracefully {
            let page = try await store.pending(limit: limits.settingsBatchMaximum)
            try await project(page)
            guard page.count == limits.settingsBatchMaximum else { return }
        }
    }

    private func project(_ page: [ProjectedSettings]) async throws {
        for one in page {
            _ = try await handOff.project(
                one.settings, of: one.user, in: Partition(of: one.user, count: partitions))
        }
        try await store.markProjected(page)
        projected.increment(by: page.count)
    }
}
