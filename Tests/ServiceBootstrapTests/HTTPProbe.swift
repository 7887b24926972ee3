import NIOCore
import NIOHTTP1
import NIOPosix

/// A tiny HTTP/1.1 client: one request on a connection of its own, with a deadline.
struct HTTPProbe {
    struct Answer: Sendable {
        var status: Int
        var contentType: String
        var body: String
    }

    private struct NoAnswer: Error {}

    let port: Int

    func get(_ path: String) async throws -> Answer {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(30))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        // A server that does not answer must fail the test, not hang it.
        let deadline = channel.channel.eventLoop.scheduleTask(in: .seconds(60)) { channel.channel.close(promise: nil) }
        defer { deadline.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            let headers = HTTPHeaders([("Host", "localhost"), ("Connection", "close")])
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
            // In one: a server may have answered the head and closed before the end is written.
            try await outbound.write(contentsOf: [.head(head), .end(nil)])
            var answer: Answer?
            for try await part in inbound {
                switch part {
                case .head(let head):
                    answer = Answer(
                        status: Int(head.status.code), contentType: head.headers["content-type"].joined(separator: ","),
                        body: "")
                case .body(let bytes): answer?.body += String(buffer: bytes)
                case .end: break
                }
            }
            guard let answer else { throw NoAnswer() }
            return answer
        }
    }
}
