import NIOCore
import NIOPosix
import Synchronization

/// Stands before the gateways as a load balancer does: connections go round those that are in, and past one that
/// refuses them.
final class Balancer: Sendable {
    private struct State {
        var out: Set<Int> = []
        var next = 0
        var listener: (any Channel)?
    }

    private let ports: [Int]
    private let onAttempt: @Sendable () -> Void
    private let state = Mutex(State())

    private init(ports: [Int], onAttempt: @escaping @Sendable () -> Void) {
        self.ports = ports
        self.onAttempt = onAttempt
    }

    /// Listens before some gateways; `onAttempt` is called when a device begins to connect.
    static func started(
        before ports: [Int], onAttempt: @escaping @Sendable () -> Void
    ) async throws -> Balancer {
        let balancer = Balancer(ports: ports, onAttempt: onAttempt)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { client in
                balancer.onAttempt()
                return balancer.connect(client, attemptsLeft: ports.count)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        balancer.state.withLock { $0.listener = listener }
        return balancer
    }

    /// Where devices connect.
    var port: Int { state.withLock { $0.listener?.localAddress?.port ?? 0 } }

    /// Takes a gateway out, as its readiness does, or back in.
    func set(_ index: Int, isIn: Bool) {
        state.withLock { $0.out = isIn ? $0.out.subtracting([index]) : $0.out.union([index]) }
    }

    func stop() async { try? await state.withLock { $0.listener.take() }?.close() }

    private func pick() -> Int {
        state.withLock { state in
            for _ in ports.indices {
                state.next = (state.next + 1) % ports.count
                if !state.out.contains(state.next) { break }
            }
            return ports[state.next]
        }
    }

    private func connect(_ client: any Channel, attemptsLeft: Int) -> EventLoopFuture<Void> {
        ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: pick())
            .assumeIsolated()
            .flatMapThrowing { server in
                try server.pipeline.syncOperations.addHandler(Glue(to: client))
                try client.pipeline.syncOperations.addHandler(Glue(to: server))
                server.read()
            }
            .flatMapError { [self] error -> EventLoopFuture<Void> in
                guard attemptsLeft > 1 else { return client.eventLoop.makeFailedFuture(error) }
                return connect(client, attemptsLeft: attemptsLeft - 1)
            }
            .nonisolated()
    }

    /// Hands on what it reads, one read after the other, each when the one before is written.
    private final class Glue: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel

        init(to other: any Channel) { self.other = other }

        func channelActive(context: ChannelHandlerContext) {
            context.read()
            context.fireChannelActive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let channel = context.channel
            other.writeAndFlush(unwrapInboundIn(data)).whenSuccess { channel.read() }
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
