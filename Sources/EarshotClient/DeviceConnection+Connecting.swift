package import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

extension DeviceConnection {
    /// Connects to a listen endpoint and upgrades to WebSocket.
    ///
    /// - Parameters:
    ///   - url: `ws://host[:port][/path][?query]`.
    ///   - headers: Sent with the upgrade, for instance `Authorization`.
    ///   - group: The connection lives on one of its event loops.
    /// - Returns: The open connection; its messages begin with the first that the server sent.
    /// - Throws: `DeviceConnectionError`; with `refused` it holds the HTTP status, headers and text of the server.
    package static func connect(
        url: String, headers: [(String, String)] = [], on group: any EventLoopGroup
    ) async throws(DeviceConnectionError) -> DeviceConnection {
        let address = try DeviceAddress(url)
        let request = try upgradeRequest(to: address, headers: headers)
        let eventLoop = group.next()
        let outcome = eventLoop.makePromise(of: UpgradedChannel.self)
        let attempted = eventLoop.makePromise(of: Void.self)
        let deadline = eventLoop.scheduleTask(in: DeviceClientLimits.connectTimeout) {
            let limit = DeviceClientLimits.connectTimeout.nanoseconds / 1_000_000_000
            outcome.fail(DeviceConnectionError(.timedOut, "\(url) did not answer the upgrade within \(limit) s"))
        }
        outcome.futureResult.whenComplete { _ in deadline.cancel() }
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(DeviceClientLimits.connectTimeout)
            // Packets of a few dozen bytes every 10 ms must not wait for each other.
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try prepare(channel, request: request, attempted: attempted.futureResult, outcome: outcome)
                }
            }
        // A numeric address needs no resolver, which would take a thread.
        let connecting =
            if let numeric = try? SocketAddress(ipAddress: address.host, port: address.port) {
                bootstrap.connect(to: numeric)
            } else {
                bootstrap.connect(host: address.host, port: address.port)
            }
        connecting.whenComplete { result in
            if case .failure(let error) = result {
                outcome.fail(DeviceConnectionError(.connectFailed, "cannot connect to \(url): \(error)"))
            }
            attempted.succeed()
        }
        do {
            let upgraded = try await withTaskCancellationHandler {
                try await outcome.futureResult.get()
            } onCancel: {
                outcome.fail(DeviceConnectionError(.cancelled, "connecting to \(url) was cancelled"))
            }
            return DeviceConnection(upgraded)
        } catch let error as DeviceConnectionError {
            throw error
        } catch {
            throw DeviceConnectionError(.handshakeFailed, "\(url) is no WebSocket endpoint: \(error)")
        }
    }

    private static func prepare(
        _ channel: any Channel, request: HTTPRequestHead, attempted: EventLoopFuture<Void>,
        outcome: EventLoopPromise<UpgradedChannel>
    ) throws {
        // Whatever makes connecting fail also ends the socket; and a socket that ends makes connecting fail.
        outcome.futureResult.whenFailure { _ in channel.close(promise: nil) }
        // A channel that does not connect is closed too, and its handlers are removed: why it did not must come first.
        channel.closeFuture.and(attempted).whenComplete { _ in
            outcome.fail(
                DeviceConnectionError(.handshakeFailed, "the connection ended before the upgrade was answered"))
        }
        let upgrader = NIOTypedWebSocketClientUpgrader<Void>(
            maxFrameSize: DeviceClientLimits.messageBytesMax
        ) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                outcome.succeed(try UpgradedChannel(channel))
            }
        }
        var configuration = NIOUpgradableHTTPClientPipelineConfiguration(
            upgradeConfiguration: NIOTypedHTTPClientUpgradeConfiguration(
                upgradeRequestHead: request,
                upgraders: [upgrader],
                notUpgradingCompletionHandler: { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(RefusedUpgradeHandler(outcome: outcome))
                    }
                }))
        // A server may send its first message right behind the 101.
        configuration.leftOverBytesStrategy = .forwardBytes
        try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: configuration)
            .whenFailure { error in attempted.whenComplete { _ in outcome.fail(error) } }
    }

    private static func upgradeRequest(
        to address: DeviceAddress, headers: [(String, String)]
    ) throws(DeviceConnectionError) -> HTTPRequestHead {
        var fields = HTTPHeaders([("Host", address.authority)])
        for (name, value) in headers {
            let isToken = !name.isEmpty && name.utf8.allSatisfy { isTokenByte($0) }
            let isPlain = value.utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
            guard isToken, isPlain else {
                throw DeviceConnectionError(
                    .invalidHeader,
                    "the header “\(name)” is not allowed: a name is letters, digits and hyphens, "
                        + "a value has no control characters")
            }
            fields.add(name: name, value: value)
        }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: address.target, headers: fields)
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
