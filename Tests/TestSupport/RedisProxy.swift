package import NIOCore
import NIOPosix
package import RedisClient
import Synchronization

/// Stands between a client and a real Redis and has chosen commands refused, in the middle of a pipeline.
///
/// A refused command does not reach the server as it was: in its place goes one that answers with the error, so that
/// the answers keep their order.
package final class RedisProxy: Sendable {
    /// Says for a command's words with which error it is refused, if so; called in the order of each connection.
    package typealias Refusal = @Sendable (_ words: [ByteBuffer]) -> String?

    private let listener: any Channel
    private let server: RedisConfiguration

    private init(listener: any Channel, server: RedisConfiguration) {
        self.listener = listener
        self.server = server
    }

    /// Runs a body with a proxy of a server.
    package static func with<Value: Sendable>(
        _ server: RedisConfiguration, refusing refusal: @escaping Refusal,
        _ body: (RedisConfiguration) async throws -> Value
    ) async throws -> Value {
        let (host, port) = (server.host, server.port)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                ClientBootstrap(group: client.eventLoop).connect(host: host, port: port).flatMapThrowing { server in
                    try server.pipeline.syncOperations.addHandler(Pipe(to: client))
                    try client.pipeline.syncOperations.addHandler(Rewriter(to: server, refusal: refusal))
                    client.setOption(.autoRead, value: true).whenFailure { _ in }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var configuration = server
        configuration.host = "127.0.0.1"
        configuration.port = listener.localAddress?.port ?? 0
        do {
            let value = try await body(configuration)
            try await listener.close()
            return value
        } catch {
            try await listener.close()
            throw error
        }
    }

    /// Hands on what it reads.
    private class Pipe: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        fileprivate let other: any Channel

        init(to other: any Channel) { self.other = other }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            other.writeAndFlush(unwrapInboundIn(data), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// Hands on commands, one by one.
    private final class Rewriter: Pipe {
        private let refusal: Refusal
        private var read = ByteBuffer()

        init(to other: any Channel, refusal: @escaping Refusal) {
            self.refusal = refusal
            super.init(to: other)
        }

        override func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            read.writeBuffer(&bytes)
            var out = context.channel.allocator.buffer(capacity: read.readableBytes)
            while let words = nextCommand() {
                guard let error = refusal(words) else {
                    Self.write(words, into: &out)
                    continue
                }
                let script = "return redis.error_reply('\(error)')"
                Self.write(["EVAL", script, "0"].map { ByteBuffer(string: $0) }, into: &out)
            }
            if out.readableBytes > 0 { other.writeAndFlush(out, promise: nil) }
        }

        /// The next whole command, as an array of bulk strings.
        private func nextCommand() -> [ByteBuffer]? {
            var rest = read
            guard let count = Self.number(after: "*", in: &rest) else { return nil }
            var words: [ByteBuffer] = []
            for _ in 0..<count {
                guard let length = Self.number(after: "$", in: &rest), let word = rest.readSlice(length: length),
                    rest.readSlice(length: 2) != nil
                else { return nil }
                words.append(word)
            }
            read = rest
            return words
        }

        private static func number(after mark: Character, in buffer: inout ByteBuffer) -> Int? {
            guard let end = buffer.readableBytesView.firstIndex(of: 13), buffer.writerIndex > end + 1,
                let line = buffer.readString(length: end - buffer.readerIndex), buffer.readSlice(length: 2) != nil,
                line.first == mark
            else { return nil }
            return Int(line.dropFirst())
        }

        private static func write(_ words: [ByteBuffer], into buffer: inout ByteBuffer) {
            buffer.writeString("*\(words.count)\r\n")
            for word in words {
                buffer.writeString("$\(word.readableBytes)\r\n")
                buffer.writeImmutableBuffer(word)
                buffer.writeString("\r\n")
            }
        }
    }
}
