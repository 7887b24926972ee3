import Glibc

/// A pair of sockets with which any thread wakes the one that waits on a connection's socket.
final class WakeSignal: Sendable {
    /// Readable while there is an unseen signal.
    let descriptor: Int32
    private let sender: Int32

    init() throws(PostgresError) {
        var ends: [Int32] = [-1, -1]
        // Not a pipe: this takes its flags at once, so that no child started meanwhile inherits an end.
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        guard unsafe socketpair(AF_UNIX, Int32(kind), 0, &ends) == 0 else {
            throw PostgresError(.connectionFailed, "no sockets for a connection: \(SocketWait.reason(errno))")
        }
        descriptor = ends[0]
        sender = ends[1]
    }

    deinit {
        close(descriptor)
        close(sender)
    }

    /// Wakes the waiting thread now, or at its next wait.
    ///
    /// A wake-up without a reason is harmless.
    func signal() {
        // A full buffer is readable, which is all that matters.
        _ = unsafe write(sender, [0], 1)
    }

    /// Takes all signals so far.
    func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while unsafe read(descriptor, &bytes, bytes.count) == bytes.count {}
    }
}
