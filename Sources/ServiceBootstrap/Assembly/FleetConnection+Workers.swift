package import AudioStreams
package import EarshotModel
import NIOCore
import RedisClient
package import WorkerRuntime

extension FleetConnection {
    /// A worker of this process: a member of the fleet that consumes a group.
    ///
    /// The first one says whether the process is ready. Limits other than the fleet's are for a stream of another kind.
    package func worker(
        _ group: WorkerGroup, _ routing: LaneRouting, _ factory: any LaneProcessorFactory, in assembly: ServiceAssembly,
        announcer: ReadyAnnouncer? = nil, limits: Limits? = nil
    ) -> FleetMember {
        if announcer != nil { assembly.health.expect("redis") }
        let worker = Worker(
            Worker.Configuration(
                group: group, routing: routing, member: incarnation, partitions: partitions,
                limits: limits ?? self.limits),
            handOff: handOff,
            reader: RedisStreamReader(
                reader: RedisBlockingReader(redis, eventLoop: assembly.eventLoopGroup.next(), logger: assembly.logger),
                keys: keys),
            factory: factory, logger: assembly.logger,
            onReady: { isReady, reason in
                guard let announcer else { return }
                assembly.health.setReady("redis", isReady, reason: reason)
                announcer.setReady(isReady)
            },
            onStalled: {
                ProcessFacts.end(
                    after: ServiceAssembly.cancellationBudget, "a lane hangs and cannot be cancelled", assembly.logger)
            })
        return FleetMember(fleet: self, logger: assembly.logger, service: worker)
    }

    /// The users' settings as workers know them, and the service that keeps them true.
    package func settings(in assembly: ServiceAssembly) -> (cache: UserSettingsCache, service: BackgroundService) {
        let cache = UserSettingsCache(handOff: handOff, limits: limits)
        let subscription = SettingsSubscription(
            configuration: redis, keys: keys, eventLoop: assembly.eventLoopGroup.next(), logger: assembly.logger
        ) { user in
            cache.forget(user)
        }
        return (cache, BackgroundService { await subscription.run() })
    }
}
