package import AudioStreams
import CoreMetrics
import EarshotModel
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
package import RedisClient
import ServiceLifecycle
import Supervision

/// The gateway process: accepts devices, appends their audio, brings them their results.
package final class GatewayServer: Service {
    private let configuration: GatewayConfiguration
    private let redis: RedisConfiguration
    private let keys: StreamKeys
    private let handOff: any HandOff
    private let logger: Logger
    private let metrics = GatewayMetrics()
    private let census: SessionCensus
    private let onListening: @Sendable (Int) -> Void
    private let onReady: @Sendable (Bool, String) -> Void
    private let supervision: Supervision
    private let drainRequested = Latch()
    private let drained = Latch()

    /// A gateway that does nothing until it runs.
    ///
    /// The hand-off is for the heartbeat; the audio path has connections of its own. `onListening` is told the port
    /// once it is bound, `onReady` whether the gateway takes sessions, and why not.
    package init(
        _ configuration: GatewayConfiguration, redis: RedisConfiguration, keys: StreamKeys, handOff: any HandOff,
        logger: Logger, onListening: @escaping @Sendable (Int) -> Void = { _ in },
        onReady: @escaping @Sendable (Bool, String) -> Void = { _, _ in }
    ) {
        self.configuration = configuration
        self.redis = redis
        self.keys = keys
        self.handOff = handOff
        self.logger = logger
        self.census = SessionCensus(loops: configuration.eventLoops)
        self.onListening = onListening
        self.onReady = onReady
        supervision = Supervision("gateway", logger: logger)
    }

    /// Drains ahead of the shutdown, and returns when no session is left; the sockets stay open and refuse.
    package func drain() async {
        drainRequested.open()
        await drained.wait()
    }

    /// Serves until a graceful shutdown, then ends every session within the drain budget.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
        do {
            try await serve(on: group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        let loops = try await makeLoops(on: group)
        let listener = try await bind(on: group, loops)
        let port = listener.localAddress?.port ?? configuration.port
        logger.notice("the gateway listens", metadata: ["host": "\(configuration.host)", "port": "\(port)"])
        if configuration.backend.isInternalNetwork {
            logger.warning("the back-end door takes everyone who can connect; keep its network to trusted hosts")
        }
        onListening(port)
        let subscription = LiveResultSubscription(
            configuration: redis, keys: keys, gateway: configuration.incarnation, eventLoop: group.next(),
            logger: logger)
        let exit = await supervision.supervise([
            SupervisedChild("heartbeat", .whole) { await self.beat(loops) },
            SupervisedChild("results", .whole) {
                await subscription.run { event in
                    for loop in loops {
                        loop.eventLoop.execute {
                            switch event {
                            case .result(let result): loop.bound.value.deliver(result)
                            case .resubscribed: loop.bound.value.resubscribed()
                            }
                        }
                    }
                }
            },
            SupervisedChild(Self.lifetime, .whole) { await self.live(loops) },
        ])
        for loop in loops { try? await loop.eventLoop.submit { loop.bound.value.stop() }.get() }
        // Only now: a device that comes while others are closed is refused with 503, not by the kernel.
        try? await listener.close()
        drained.open()
        try? await handOff.leave(kind: WorkerGroup.gateway.name, as: configuration.incarnation)
        switch exit {
        case .lifetimeEnded(child: Self.lifetime), .cancelled: return
        default: throw Failure(exit: exit)
        }
    }

    private static let lifetime = "lifetime"

    /// Something that must go on as long as the gateway has ended before it.
    private struct Failure: Error {
        let exit: SupervisionExit
    }

    /// Until the shutdown; drains before, when it is asked for or when the shutdown comes.
    private func live(_ loops: [BoundLoop]) async {
        await withTaskGroup(of: Void.self) { race in
            race.addTask { try? await gracefulShutdown() }
            race.addTask { await self.drainRequested.wait() }
            await race.next()
            race.cancelAll()
        }
        drainRequested.open()
        onReady(false, "draining")
        await drain(loops)
        drained.open()
        try? await gracefulShutdown()
    }

    /// A loop and the value bound to it.
    private struct BoundLoop: Sendable {
        let eventLoop: any EventLoop
        let bound: NIOLoopBound<GatewayLoop>
    }

    private func makeLoops(on group: MultiThreadedEventLoopGroup) async throws -> [BoundLoop] {
        var loops: [BoundLoop] = []
        for (index, eventLoop) in Array(group.makeIterator()).enumerated() {
            let bound = try await eventLoop.submit { [self] in
                let appender = AudioAppender(
                    configuration: redis, keys: keys, limits: configuration.limits, eventLoop: eventLoop,
                    logger: logger)
                let loop = GatewayLoop(
                    index: index, eventLoop: eventLoop, appender: appender, configuration: configuration,
                    census: census, metrics: metrics, logger: logger)
                loop.start()
                return NIOLoopBound(loop, eventLoop: eventLoop)
            }.get()
            loops.append(BoundLoop(eventLoop: eventLoop, bound: bound))
        }
        return loops
    }

    private func bind(on group: MultiThreadedEventLoopGroup, _ loops: [BoundLoop]) async throws -> any Channel {
        let byLoop = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0.bound) })
        let admission = ListenAdmission(configuration: configuration, census: census)
        let metrics = metrics
        let limits = configuration.limits
        let bootstrap = ServerBootstrap(group: group)
            // A fleet that reconnects at once must not be refused by the kernel.
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: limits.outboundBytesMaximum / 4, high: limits.outboundBytesMaximum)
            )
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1024, maximum: 65_536)
            )
            .childChannelInitializer { channel in
                guard let bound = byLoop[ObjectIdentifier(channel.eventLoop)] else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
                }
                return channel.eventLoop.makeCompletedFuture {
                    try Self.configure(channel, loop: bound.value, admission: admission, metrics: metrics)
                }
            }
        do {
            return try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
        } catch {
            throw GatewayBindError(host: configuration.host, port: configuration.port, reason: "\(error)")
        }
    }

    private static func configure(
        _ channel: any Channel, loop: GatewayLoop, admission: ListenAdmission, metrics: GatewayMetrics
    ) throws {
        let handshake = UpgradeHandshake()
        let limits = loop.configuration.limits
        let state = NIOLoopBound((loop: loop, handshake: handshake), eventLoop: channel.eventLoop)
        let makeUpgrader = { (frameBytesMaximum: Int) in
            NIOWebSocketServerUpgrader(
                maxFrameSize: frameBytesMaximum, automaticErrorHandling: false,
                shouldUpgrade: { _, head in
                    admission.decide(head, on: state.value.loop)
                        .map { admitted -> HTTPHeaders? in
                            state.value.handshake.admitted = admitted.value
                            return admitted.value.responseHeaders
                        }
                        .flatMapErrorThrowing { error in
                            state.value.handshake.refusal =
                                error as? UpgradeRefusal
                                ?? .unavailable("internal", "the request could not be decided")
                            return nil
                        }
                },
                upgradePipelineHandler: { channel, _ in
                    channel.eventLoop.makeCompletedFuture {
                        try state.value.handshake.finish(channel, loop: state.value.loop, admission: admission)
                    }
                })
        }
        let upgrader = GatewayUpgrader(
            device: makeUpgrader(limits.messageBytesMaximum), backend: makeUpgrader(limits.backendMessageBytesMaximum))
        handshake.arm(channel, limit: TimeAmount(limits.upgradeTimeout))
        let refusals = RefusalHandler(handshake: handshake, metrics: metrics)
        let boundRefusals = NIOLoopBound(refusals, eventLoop: channel.eventLoop)
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withServerUpgrade: (
                upgraders: [upgrader],
                completionHandler: { context in
                    context.pipeline.syncOperations.removeHandler(boundRefusals.value, promise: nil)
                }
            ))
        try channel.pipeline.syncOperations.addHandler(refusals)
    }

    // MARK: Lifetime

    /// Beats until the process ends, also while it drains: its sessions are its own until they are ended.
    private func beat(_ loops: [BoundLoop]) async {
        var hasJoined = false
        var hasReachedStore = false
        while !Task.isCancelled {
            do throws(HandOffError) {
                if !hasJoined {
                    try await handOff.join(kind: WorkerGroup.gateway.name, as: configuration.incarnation)
                    hasJoined = true
                }
                _ = try await handOff.beat(kind: WorkerGroup.gateway.name, as: configuration.incarnation)
                if !hasReachedStore { hasReachedStore = await allReachedStore(loops) }
                if !drainRequested.isOpen {
                    onReady(hasReachedStore, hasReachedStore ? "" : "not every event loop has reached Redis yet")
                }
            } catch {
                if error.code == .cancelled { break }
                onReady(false, "Redis does not answer")
                logger.warning("no heartbeat", metadata: ["error": "\(error)"])
            }
            // tidy:allow Task.sleep the period of the heartbeat, ended by cancellation, not by a shutdown: it drains
            try? await Task.sleep(for: configuration.limits.heartbeatInterval)
        }
    }

    /// A device may land on any loop: each one's connection must have worked once.
    private func allReachedStore(_ loops: [BoundLoop]) async -> Bool {
        for loop in loops {
            let hasReached = try? await loop.eventLoop.submit { loop.bound.value.hasReachedStore }.get()
            guard hasReached == true else { return false }
        }
        return true
    }

    private func drain(_ loops: [BoundLoop]) async {
        let total = census.total
        logger.notice("draining", metadata: ["sessions": "\(total)"])
        // All loops at once: one slow device must not hold up the other loops' sessions.
        var work: [String: @Sendable () async -> Void] = [:]
        for (index, loop) in loops.enumerated() {
            work["loop \(index)"] = {
                await withTaskCancellationHandler {
                    try? await loop.eventLoop.flatSubmit { loop.bound.value.drain(of: total) }.get()
                } onCancel: {
                    // Out of time: what is left is cut, and with it what the drain waits for.
                    loop.eventLoop.execute { loop.bound.value.stop() }
                }
            }
        }
        let stuck = await supervision.drain(within: configuration.limits.drainBudget, work)
        guard !stuck.isEmpty else { return }
        logger.error(
            "the drain took too long; what is left is cut",
            metadata: ["sessions": "\(census.total)", "stuck": "\(stuck.joined(separator: ", "))"])
    }
}
