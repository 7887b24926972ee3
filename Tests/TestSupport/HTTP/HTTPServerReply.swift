import Glibc
package import NIOCore

/// The way back to a client of `HTTPServer`; usable from anywhere, at any time.
package struct HTTPServerReply: Sendable {
    private let channel: any Channel

    init(channel: any Channel) {
        self.channel = channel
    }

    /// Sends a whole response with its length.
    package func respond(_ status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = []) {
        var head = "HTTP/1.1 \(status) Answer\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        send(Array((head + "\r\n").utf8) + body)
    }

    /// The same with a text.
    package func respond(_ status: Int = 200, headers: [(String, String)] = [], text: String) {
        respond(status, headers: headers, body: Array(text.utf8))
    }

    /// Sends bytes as they are.
    package func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Sends a text as it is.
    package func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends bytes again and again until the client is gone.
    package func drip(_ bytes: [UInt8], every interval: TimeAmount) {
        let channel = channel
        channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: interval) { task in
            guard channel.isActive else { return task.cancel() }
            // A client that does not read must not fill this process' memory.
            if channel.isWritable { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
        }
    }

    /// Closes the connection.
    package func close() { channel.close(promise: nil) }

    /// Breaks the connection off with a reset.
    package func reset() {
        let channel = channel
        guard let socket = channel as? any SocketOptionProvider else { return close() }
        socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
    }

    /// Is called when the client has gone.
    package func onClose(_ body: @escaping @Sendable () -> Void) {
        channel.closeFuture.whenComplete { _ in body() }
    }
}
