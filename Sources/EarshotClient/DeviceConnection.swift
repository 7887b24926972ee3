package import NIOCore
import NIOWebSocket

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A WebSocket connection from a device to a listen endpoint.
///
/// It may be used from any task; sends from one task arrive in their order. Nothing is queued without bound: a send
/// suspends while the socket takes no more, and the socket is not read while `messages` has no room. Pings are answered
/// by itself. Dropping the last reference drops the connection.
package final class DeviceConnection: Sendable {
    /// What the server sends; see `DeviceMessages` for what reading slowly, or not at all, does.
    package let messages: DeviceMessages
    /// The event loop that the connection lives on; sending from it takes no hop between threads.
    package let eventLoop: any EventLoop

    private let channel: any Channel
    private let handler: NIOLoopBound<DeviceConnectionHandler>

    init(_ upgraded: UpgradedChannel) {
        channel = upgraded.channel
        eventLoop = upgraded.channel.eventLoop
        handler = upgraded.handler
        messages = upgraded.messages
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Sends a binary message; returns when the socket's buffer has taken it.
    ///
    /// Cancelling the task does not end the wait; `abort()` does.
    ///
    /// - Throws: `DeviceConnectionError` with `closed` when the connection is closed or closing.
    package func send(binary payload: ByteBuffer) async throws(DeviceConnectionError) {
        try await send(.binary, payload)
    }

    /// Sends a binary message; returns when the socket's buffer has taken it.
    ///
    /// - Throws: `DeviceConnectionError` with `closed` when the connection is closed or closing.
    package func send(binary payload: [UInt8]) async throws(DeviceConnectionError) {
        try await send(.binary, ByteBuffer(bytes: payload))
    }

    /// Sends a text message; returns when the socket's buffer has taken it.
    ///
    /// - Throws: `DeviceConnectionError` with `closed` when the connection is closed or closing.
    package func send(text: String) async throws(DeviceConnectionError) {
        try await send(.text, ByteBuffer(string: text))
    }

    /// Closes the connection in order and returns when it is gone.
    ///
    /// Messages that the server sends until it answers are still delivered. A server that does not answer within
    /// `DeviceClientLimits.closeTimeout`, be it because `messages` is not read, is left without an answer.
    ///
    /// - Parameters:
    ///   - code: The close code for the server.
    ///   - reason: Its text, shortened to 123 bytes.
    package func close(code: UInt16 = 1000, reason: String = "") async {
        eventLoop.execute { self.handler.value.beginClose(code: code, reason: reason) }
        // The channel's own close future never fails.
        try? await channel.closeFuture.get()
    }

    /// Vanishes: the socket is reset at once, without a close frame, as when a device loses its network and reboots.
    package func abort() {
        eventLoop.execute {
            self.handler.value.willAbort()
            let channel = self.channel
            guard let socket = channel as? any SocketOptionProvider else { return channel.close(promise: nil) }
            // Lingering for no time makes the kernel send a reset in place of an orderly end.
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
        }
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) async throws(DeviceConnectionError) {
        if eventLoop.inEventLoop, handler.value.sendNow(opcode, payload) { return }
        do {
            try await eventLoop.flatSubmit {
                self.handler.value.send(opcode, payload, on: self.eventLoop)
            }.get()
        } catch let error as DeviceConnectionError {
            throw error
        } catch {
            throw DeviceConnectionError(.closed, "the event loop is shut down: \(error)")
        }
    }
}
