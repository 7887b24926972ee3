package import Hummingbird
import NIOCore

/// A request to the admin server, with where it comes from.
package struct AdminRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Whether it comes from this machine, or from the same pod.
    package let isFromLoopback: Bool

    /// For Hummingbird.
    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        isFromLoopback = source.channel.remoteAddress.map(Self.isLoopback) ?? false
    }

    static func isLoopback(_ address: SocketAddress) -> Bool {
        guard let text = address.ipAddress else { return false }
        // IPv4 also as it is mapped into IPv6 by a socket that takes both.
        return text == "::1" || text.hasPrefix("127.") || text.hasPrefix("::ffff:127.")
    }
}
