import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Upgrades to WebSocket with the frame limit of the path's door: a device's frames are small, a back end's may be the
/// audio of minutes.
final class GatewayUpgrader: HTTPServerProtocolUpgrader {
    private let device: NIOWebSocketServerUpgrader
    private let backend: NIOWebSocketServerUpgrader

    let supportedProtocol = "websocket"
    /// The WebSocket headers are checked by the upgraders themselves.
    let requiredUpgradeHeaders: [String] = []

    init(device: NIOWebSocketServerUpgrader, backend: NIOWebSocketServerUpgrader) {
        self.device = device
        self.backend = backend
    }

    private func upgrader(for head: HTTPRequestHead) -> NIOWebSocketServerUpgrader {
        head.uri.prefix { $0 != "?" } == ListenPath.backend.rawValue ? backend : device
    }

    func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        upgrader(for: upgradeRequest).buildUpgradeResponse(
            channel: channel, upgradeRequest: upgradeRequest, initialResponseHeaders: initialResponseHeaders)
    }

    func upgrade(context: ChannelHandlerContext, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
        upgrader(for: upgradeRequest).upgrade(context: context, upgradeRequest: upgradeRequest)
    }
}
