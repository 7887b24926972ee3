import Glibc
import Synchronization

/// Writes lines to a descriptor without letting a reader that has stopped reading stop the process.
///
/// Lines are written in the caller's thread, so that the last ones before a crash are out. A line goes out only when
/// the descriptor takes it at once; otherwise it waits in a bounded buffer for the next line or `flush`, and past the
/// bound lines are dropped and counted.
final class LogWriter: Sendable {
    /// Bytes that wait for a reader that does not read: some thousand lines.
    static let pendingBytesMaximum = 1024 * 1024
    /// A pipe that is writable takes this much at once (`PIPE_BUF`), and does not mix it with other writers' lines.
    private static let chunkBytes = 4096

    private struct State {
        var pending: [UInt8] = []
        var dropped = 0
        var isBroken = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Lines dropped since the start.
    var dropped: Int { state.withLock(\.dropped) }

    func write(_ line: [UInt8]) {
        state.withLock { state in
            drain(&state, within: .zero)
            guard state.pending.count + line.count <= Self.pendingBytesMaximum else {
                state.dropped += 1
                return
            }
            state.pending += line
            drain(&state, within: .zero)
        }
    }

    /// Gives a slow reader some time for what is left; for the end of a process.
    func flush(within time: Duration = .seconds(1)) {
        state.withLock { drain(&$0, within: time) }
    }

    private func drain(_ state: inout State, within time: Duration) {
        let deadline = ContinuousClock.now + time
        var written = 0
        while written < state.pending.count, !state.isBroken {
            var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let left = max(.zero, ContinuousClock.now.duration(to: deadline))
            guard poll(&request, 1, Int32(left / .milliseconds(1))) == 1, request.revents & Int16(POLLOUT) != 0 else {
                state.isBroken = request.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0
                break
            }
            let chunk = state.pending[written...].prefix(Self.chunk(of: state.pending[written...]))
            let count = chunk.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                state.isBroken = errno != EAGAIN
                break
            }
            written += count
        }
        // Nobody will ever read what a broken descriptor was given.
        state.pending.removeFirst(state.isBroken ? state.pending.count : written)
    }

    /// The bytes of whole lines that fit into one chunk, or one chunk of a line that does not fit.
    private static func chunk(of bytes: ArraySlice<UInt8>) -> Int {
        let first = bytes.prefix(chunkBytes)
        guard first.count == chunkBytes, let end = first.lastIndex(of: UInt8(ascii: "\n")) else { return first.count }
        return end - first.startIndex + 1
    }
}
