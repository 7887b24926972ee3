import NIOCore
import NIOPosix
import Synchronization

/// A TCP proxy that does to connections what networks do: a listener on a free port of 127.0.0.1, and one server behind
/// it.
///
/// Start as many as are needed.
///
/// Faults may be set and taken away at any time and count for open connections at once; for all connections, or for
/// those of one label, which a function of the client's port gives them when they are accepted.
package final class FaultProxy: Sendable {
    private struct Connection {
        var channel: any Channel
        var label: String?
    }

    private struct State {
        var upstream: SocketAddress
        var port = 0
        var listener: (any Channel)?
        var common = LinkFaults()
        var labelled: [String: LinkFaults] = [:]
        var connections: [UInt64: Connection] = [:]
        var accepted: UInt64 = 0
    }

    private let label: @Sendable (_ clientPort: Int) -> String?
    private let state: Mutex<State>

    private init(upstream: SocketAddress, label: @escaping @Sendable (Int) -> String?) {
        state = Mutex(State(upstream: upstream))
        self.label = label
    }

    /// Starts a proxy.
    ///
    /// - Parameters:
    ///   - upstream: The server's port on 127.0.0.1; nothing has to listen there yet.
    ///   - label: Names a connection by its client's port, on an event loop; nil leaves it without a name.
    /// - Returns: The proxy, listening.
    /// - Throws: An error when it cannot listen.
    package static func started(
        to upstream: Int, label: @escaping @Sendable (_ clientPort: Int) -> String? = { _ in nil }
    ) async throws -> FaultProxy {
        let proxy = FaultProxy(upstream: try SocketAddress(ipAddress: "127.0.0.1", port: upstream), label: label)
        try await proxy.bringUp()
        return proxy
    }

    /// The port clients connect to; it stays the same.
    package var port: Int { state.withLock(\.port) }
    /// Connections that are open now.
    package var connectionCount: Int { state.withLock(\.connections.count) }
    /// Connections accepted so far.
    package var acceptedCount: UInt64 { state.withLock(\.accepted) }

    /// Sets the faults of all connections, or of those with a label; open ones feel it at once.
    package func set(_ faults: LinkFaults, label: String? = nil) {
        order(.refresh, label: label) { state in
            if let label { state.labelled[label] = faults } else { state.common = faults }
        }
    }

    /// Takes every fault away.
    package func clear() {
        order(.refresh, label: nil) { state in
            state.common = LinkFaults()
            state.labelled = [:]
        }
    }

    /// Takes the faults of one label away.
    package func clear(label: String) { order(.refresh, label: label) { $0.labelled[label] = nil } }

    /// Resets the open connections, of one label if one is given.
    package func cut(label: String? = nil) { order(.cut, label: label) { _ in } }

    /// Leaves the open connections without any traffic for ever, as a middlebox does that has lost them.
    package func strand(label: String? = nil) { order(.strand, label: label) { _ in } }

    /// Puts another server behind the port, as a failover does, and resets what is open.
    package func point(to port: Int) throws {
        let upstream = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        state.withLock { $0.upstream = upstream }
        cut()
    }

    /// Toxiproxy's `down`: closes the listener, so that connecting is refused, and resets what is open.
    package func takeDown() async {
        let listener = state.withLock { $0.listener.take() }
        try? await listener?.close()
        cut()
    }

    /// Listens again, on the port of before.
    package func bringUp() async throws {
        let port = state.withLock { $0.listener == nil ? $0.port : nil }
        guard let port else { return }
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [self] channel in connect(channel) }
        let listener = try await bootstrap.bind(host: "127.0.0.1", port: port).get()
        state.withLock { state in
            state.listener = listener
            state.port = listener.localAddress?.port ?? 0
        }
    }

    /// Ends the proxy and all its connections.
    package func stop() async { await takeDown() }

    private func order(_ order: ProxyLink.Order, label: String?, _ change: (inout State) -> Void) {
        let channels = state.withLock { state in
            change(&state)
            return state.connections.values.filter { label == nil || $0.label == label }.map(\.channel)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(order) }
    }

    private func faults(for label: String?) -> LinkFaults {
        state.withLock { state in label.flatMap { state.labelled[$0] } ?? state.common }
    }

    /// Connects to the server for a client that was accepted, on the client's loop.
    private func connect(_ client: any Channel) -> EventLoopFuture<Void> {
        let label = client.remoteAddress?.port.flatMap(label)
        let (number, upstream) = state.withLock { state in
            state.accepted += 1
            return (state.accepted, state.upstream)
        }
        return ClientBootstrap(group: client.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connect(to: upstream)
            .assumeIsolated()
            .map { [self] server in
                let link = ProxyLink(client: client, server: server, seed: number) { [self] in faults(for: label) }
                do {
                    try server.pipeline.syncOperations.addHandler(ProxyHandler(link, .server))
                    try client.pipeline.syncOperations.addHandler(ProxyHandler(link, .client))
                } catch {
                    server.close(promise: nil)
                    client.close(promise: nil)
                }
                // Known from here on, because only now it hears orders; one that was taken down meanwhile is none.
                let isUp = state.withLock { state in
                    state.connections[number] = Connection(channel: client, label: label)
                    return state.listener != nil
                }
                client.closeFuture.whenComplete { [self] _ in
                    state.withLock { state in state.connections[number] = nil }
                }
                guard isUp else { return link.obey(.cut) }
                // The server's end; the client's becomes active when this callback has returned.
                link.pump()
            }
            .nonisolated()
    }
}
