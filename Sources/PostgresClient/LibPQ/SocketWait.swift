import Glibc

/// Waits for a socket, a wake-up or a deadline, whichever is first.
enum SocketWait {
    /// Why the wait ended.
    enum Outcome: Equatable {
        case ready(canRead: Bool, canWrite: Bool)
        case woken
        case timedOut
        case failed(String)
    }

    /// What is to be waited for.
    struct Interest: OptionSet {
        let rawValue: Int
        static let read = Interest(rawValue: 1)
        static let write = Interest(rawValue: 2)
    }

    /// Blocks the calling thread, at most until `deadline`.
    static func wait(
        _ socket: Int32, for interest: Interest, wake: WakeSignal, until deadline: ContinuousClock.Instant
    ) -> Outcome {
        var events: Int16 = 0
        if interest.contains(.read) { events |= Int16(POLLIN) }
        if interest.contains(.write) { events |= Int16(POLLOUT) }
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            // A deadline that has passed still takes what is ready: the socket is looked at once without waiting.
            let milliseconds = left > .zero ? min(left.wholeMilliseconds, 60_000) : 0
            var entries = [
                pollfd(fd: socket, events: events, revents: 0),
                pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            let count = unsafe entries.withUnsafeMutableBufferPointer { buffer in
                unsafe poll(buffer.baseAddress, 2, Int32(milliseconds))
            }
            if count < 0 {
                guard errno == EINTR else { return .failed(reason(errno)) }
                continue
            }
            if entries[1].revents != 0 {
                wake.drain()
                return .woken
            }
            let found = entries[0].revents
            if found != 0 {
                // An error or a hang-up is for libpq to find when it reads.
                let isBroken = found & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
                return .ready(
                    canRead: isBroken || found & Int16(POLLIN) != 0, canWrite: found & Int16(POLLOUT) != 0)
            }
            if left <= .zero { return .timedOut }
        }
    }

    /// Tells whether bytes, or the end of the stream, have arrived already.
    static func isReadable(_ socket: Int32) -> Bool {
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 0) != 0
    }

    /// The text of an error number.
    static func reason(_ number: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard unsafe strerror_r(number, &buffer, buffer.count) == 0 else { return "error \(number)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
