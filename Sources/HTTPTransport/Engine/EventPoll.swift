import CLibCurl
import Glibc

/// An `epoll` set, level-triggered.
@safe
struct EventPoll: ~Copyable {
    /// What happened to a socket.
    struct Event {
        let descriptor: Int32
        let canRead: Bool
        let canWrite: Bool
        let hasFailed: Bool
    }

    // Enough to work off 512 busy transfers in two rounds.
    private static let eventsMaximum = 256

    private let descriptor: Int32
    private var ready = unsafe [epoll_event](repeating: epoll_event(), count: eventsMaximum)

    init() throws(HTTPTransportError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw HTTPTransportError(.closed, "no descriptor for the engine (\(errno))") }
    }

    deinit { close(descriptor) }

    /// Watches a socket, or changes what it is watched for.
    func watch(_ socket: Int32, read: Bool, write: Bool) {
        var event = unsafe epoll_event()
        unsafe event.events = (read ? EPOLLIN.rawValue : 0) | (write ? EPOLLOUT.rawValue : 0)
        unsafe event.data.fd = socket
        // A closed socket leaves the set by itself and its number comes back: only the set knows which is right.
        if unsafe epoll_ctl(descriptor, EPOLL_CTL_MOD, socket, &event) != 0, errno == ENOENT {
            _ = unsafe epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &event)
        }
    }

    /// Watches a socket no longer.
    func forget(_ socket: Int32) {
        _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, nil)
    }

    /// Waits until something happens or the time is over; nil waits for ever.
    mutating func wait(_ timeout: Duration?) -> [Event] {
        let milliseconds = timeout.map { min(max($0.wholeMillisecondsRoundedUp, 0), 60_000) } ?? -1
        let count = unsafe epoll_wait(descriptor, &ready, Int32(Self.eventsMaximum), Int32(milliseconds))
        guard count > 0 else { return [] }
        return unsafe ready[..<Int(count)].map { event in
            let events = unsafe event.events
            return Event(
                descriptor: unsafe event.data.fd, canRead: events & EPOLLIN.rawValue != 0,
                canWrite: events & EPOLLOUT.rawValue != 0,
                hasFailed: events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0)
        }
    }
}

extension Duration {
    /// For calls that wait for milliseconds: never less than the duration.
    var wholeMillisecondsRoundedUp: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
