import NIOCore
import NIOHTTP1
import NIOPosix

/// Fetches a small text: one request on a connection of its own, with a deadline.
package enum HTTPGet {
    /// Gets what is at `http://HOST:PORT/PATH`.
    ///
    /// - Parameter url: The URL; the host is an address or a name, without brackets.
    /// - Returns: The body.
    /// - Throws: `ChildProcess.Failure` for a URL of another form, no whole answer within 10 s, or a status that is not
    ///   200; NIO's errors.
    package static func text(_ url: String) async throws -> String {
        let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
        let authority = parts.count > 1 ? parts[1].split(separator: ":") : []
        guard parts.first == "http:", authority.count == 2, let port = Int(authority[1]) else {
            throw ChildProcess.Failure("\(url) is not http://HOST:PORT/PATH")
        }
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .connect(host: String(authority[0]), port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        let deadline = channel.channel.eventLoop.scheduleTask(in: .seconds(10)) { channel.channel.close(promise: nil) }
        defer { deadline.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            let headers = HTTPHeaders([("Host", String(parts[1])), ("Connection", "close")])
            let path = "/" + (parts.count > 2 ? parts[2] : "")
            let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
            // In one: a server may have answered the head and closed before the end is written.
            try await outbound.write(contentsOf: [.head(head), .end(nil)])
            var body = ""
            var isWhole = false
            for try await part in inbound {
                switch part {
                case .head(let head):
                    guard head.status == .ok else { throw ChildProcess.Failure("\(url): \(head.status)") }
                case .body(let bytes): body += String(buffer: bytes)
                case .end: isWhole = true
                }
            }
            guard isWhole else { throw ChildProcess.Failure("\(url): no whole answer") }
            return body
        }
    }
}
