import Glibc

/// Ports of this machine that nobody listens on.
enum FreePort {
    /// The preferred port of the loopback address if it is free, else another one.
    ///
    /// Between this and the use somebody may take it; what is started then says so and is started again.
    static func choose(preferring preferred: Int?) throws -> Int {
        if let preferred, let port = bound(to: preferred) { return port }
        guard let port = bound(to: 0) else { throw CommandError("this machine has no free port: \(errno)") }
        return port
    }

    /// Binds for a moment and returns the port; nil when it is taken.
    private static func bound(to port: Int) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // Connections of the last run in TIME_WAIT must not count: servers set this option, too.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        return isBound ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}
