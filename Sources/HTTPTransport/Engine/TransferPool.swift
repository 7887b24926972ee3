import CLibCurl
import Glibc

/// A part of the engine's transfers and their connections: one multi handle of libcurl, by its socket interface.
///
/// A step costs what is ready, not what is under way. Only the choice of a connection walks through all that go to the
/// same host and port, so a pool has few of each (`PoolChoice`).
@safe
final class TransferPool {
    private let multi: UnsafeMutableRawPointer
    private let poll: EventPoll
    private let number: Int
    /// When libcurl wants to be called although nothing happened.
    private(set) var due: ContinuousClock.Instant?

    /// Makes the pool with this number, whose sockets `poll` watches under it.
    init(_ number: Int, connectionsPerHost: Int, connections: Int, poll: EventPoll) throws(HTTPTransportError) {
        guard Self.library == CURLE_OK, let multi = unsafe curl_multi_init() else {
            throw HTTPTransportError(.closed, "libcurl cannot be initialised")
        }
        unsafe self.multi = unsafe multi
        self.poll = poll
        self.number = number
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        unsafe ccurl_multi_set_socket(multi, socketCallback)
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
        unsafe ccurl_multi_set_timer(multi, timerCallback)
        unsafe ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connectionsPerHost)
        unsafe ccurl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections)
        unsafe ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, connections)
    }

    deinit {
        unsafe curl_multi_cleanup(multi)
    }

    /// Begins a transfer; false when libcurl is out of memory.
    func add(_ easy: EasyHandle) -> Bool {
        unsafe curl_multi_add_handle(multi, easy.raw) == CURLM_OK
    }

    /// Takes a transfer out, finished or not.
    func remove(_ easy: EasyHandle) {
        unsafe curl_multi_remove_handle(multi, easy.raw)
    }

    /// Goes on with the transfer whose socket is ready.
    func handle(_ event: EventPoll.Event) {
        var mask: Int32 = 0
        if event.canRead { mask |= CURL_CSELECT_IN }
        if event.canWrite { mask |= CURL_CSELECT_OUT }
        if event.hasFailed { mask |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        unsafe curl_multi_socket_action(multi, event.descriptor, mask, &running)
    }

    /// Begins transfers that were added and ends those that are late, if libcurl asked for it.
    func callWhenDue() {
        // libcurl names the next instant inside the call; one that is due already is for the next round.
        guard let due, .now >= due else { return }
        self.due = nil
        var running: Int32 = 0
        // -1 is CURL_SOCKET_TIMEOUT.
        unsafe curl_multi_socket_action(multi, -1, 0, &running)
    }

    /// Returns the transfers that are over since the last time; they are still to be removed.
    func takeFinished() -> [(easy: EasyHandle, code: CURLcode)] {
        // All messages first: removing a handle walks through those not yet read.
        var finished: [(easy: EasyHandle, code: CURLcode)] = []
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe ccurl_message_is_done(message) != 0 else { continue }
            let code = unsafe ccurl_message_result(message)
            var context: UnsafeMutableRawPointer?
            unsafe ccurl_get_pointer(message.pointee.easy_handle, CURLINFO_PRIVATE, &context)
            guard let context = unsafe context else { continue }
            finished.append((unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue(), code))
        }
        return finished
    }

    private var socketCallback: curl_socket_callback {
        { _, socket, what, context, _ in
            guard let context = unsafe context else { return -1 }
            let pool = unsafe Unmanaged<TransferPool>.fromOpaque(context).takeUnretainedValue()
            if what == CURL_POLL_REMOVE {
                pool.poll.forget(socket)
            } else {
                pool.poll.watch(
                    socket, owner: pool.number, read: what & CURL_POLL_IN != 0, write: what & CURL_POLL_OUT != 0)
            }
            return 0
        }
    }

    private var timerCallback: curl_multi_timer_callback {
        { _, milliseconds, context in
            guard let context = unsafe context else { return -1 }
            let pool = unsafe Unmanaged<TransferPool>.fromOpaque(context).takeUnretainedValue()
            pool.due = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
            return 0
        }
    }

    /// Initialises libcurl once a process, which is thread-safe here.
    private static let library = ccurl_global_init()
}
