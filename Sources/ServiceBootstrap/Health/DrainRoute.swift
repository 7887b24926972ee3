package import Hummingbird
import NIOCore

/// `POST /drain` on the admin port: a process drains ahead of its shutdown, which is what a `preStop` hook asks for.
package struct DrainRoute: Sendable {
    package static let path = "drain"

    private let drain: @Sendable () async -> Void

    /// A route that calls a drain, which returns when nothing is left.
    package init(drain: @escaping @Sendable () async -> Void) { self.drain = drain }

    /// Adds the route; from anywhere but this machine it is refused.
    package func add(to router: Router<AdminRequestContext>) {
        router.post(RouterPath(Self.path)) { [drain] _, context in
            guard context.isFromLoopback else {
                return Response(
                    status: .forbidden, body: ResponseBody(byteBuffer: ByteBuffer(string: "from loopback only\n")))
            }
            await drain()
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: "drained\n")))
        }
    }
}
