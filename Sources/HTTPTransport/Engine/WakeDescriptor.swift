import CLibCurl
import Glibc

/// An `eventfd` with which any thread wakes the engine's.
final class WakeDescriptor: Sendable {
    /// Readable while there is an unseen signal.
    let descriptor: Int32

    init() throws(HTTPTransportError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw HTTPTransportError(.closed, "no descriptor for the engine (\(errno))") }
    }

    deinit { close(descriptor) }

    /// Wakes the waiting thread now, or at its next wait.
    func signal() {
        _ = eventfd_write(descriptor, 1)
    }

    /// Takes all signals so far.
    func drain() {
        var count: eventfd_t = 0
        _ = unsafe eventfd_read(descriptor, &count)
    }
}
