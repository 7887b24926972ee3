import CLibCurl
import Glibc

/// Drives all transfers on one thread: libcurl's multi handle by its socket interface, over `epoll`.
///
/// A step costs what is ready, not what is under way, and `HostPacing` decides how many are.
/// libcurl's handles may be used by one thread at a time ("You must never share the same handle in multiple threads",
/// libcurl-thread(3)): this object is made on the engine's thread and never leaves it.
@safe
final class TransferEngine {
    private let configuration: HTTPTransportConfiguration
    private let inbox: TransferInbox
    private let wake: WakeDescriptor
    private let multi: UnsafeMutableRawPointer
    private var poll: EventPoll
    private var pacing = HostPacing<TransferInbox.Submission>()
    private var active: [UInt64: EasyHandle] = [:]
    /// For reuse; as many as were active at once, which the inbox bounds.
    private var idle: [EasyHandle] = []
    /// When libcurl wants to be called although nothing happened.
    private var due: ContinuousClock.Instant?

    init(
        _ configuration: HTTPTransportConfiguration, inbox: TransferInbox, wake: WakeDescriptor
    ) throws(HTTPTransportError) {
        poll = try EventPoll()
        guard Self.library == CURLE_OK, let multi = unsafe curl_multi_init() else {
            throw HTTPTransportError(.closed, "libcurl cannot be initialised")
        }
        self.configuration = configuration
        self.inbox = inbox
        self.wake = wake
        unsafe self.multi = unsafe multi
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        unsafe ccurl_multi_set_socket(multi, socketCallback)
        unsafe ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
        unsafe ccurl_multi_set_timer(multi, timerCallback)
        unsafe ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHostMaximum)
        unsafe ccurl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.connectionsMaximum)
        unsafe ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.connectionsMaximum)
        poll.watch(wake.descriptor, read: true, write: false)
    }

    deinit {
        idle = []
        unsafe curl_multi_cleanup(multi)
    }

    /// Works until the inbox is closed; then answers everything with `closed`.
    func run() {
        while true {
            let batch = inbox.take()
            for submission in batch.submissions { offer(submission) }
            for id in batch.cancellations { end(id, .failure(TransferInbox.cancelled)) }
            if batch.isClosed { break }
            for submission in pacing.expire(at: .now) { start(submission) }
            callWhenDue()
            collectFinished()
            // What was just finished or added may want another call at once.
            let next = [due, pacing.due].compactMap(\.self).min()
            for event in poll.wait(next.map { ContinuousClock.now.duration(to: $0) }) { handle(event) }
        }
        for submission in pacing.withdrawAll() { answer(submission, .failure(TransferInbox.closed)) }
        for id in Array(active.keys) { end(id, .failure(TransferInbox.closed)) }
        inbox.refuseRest()
    }

    // MARK: Transfers

    private func offer(_ submission: TransferInbox.Submission) {
        guard pacing.offer(submission, submission.id, to: submission.origin, at: .now) else { return }
        start(submission)
    }

    private func start(_ submission: TransferInbox.Submission) {
        guard let easy = idle.popLast() ?? EasyHandle(configuration), easy.begin(submission),
            unsafe curl_multi_add_handle(multi, easy.raw) == CURLM_OK
        else {
            let error = HTTPTransportError(.overloaded, "libcurl has no memory for another exchange")
            answer(submission, .failure(error))
            startNext(of: submission.origin)
            return
        }
        active[submission.id] = easy
    }

    private func startNext(of host: String) {
        if let next = pacing.ended(with: host) { start(next) }
    }

    private func end(_ id: UInt64, _ answer: @autoclosure () -> TransferInbox.Answer) {
        if let easy = active.removeValue(forKey: id) {
            let answer = answer()
            unsafe curl_multi_remove_handle(multi, easy.raw)
            let submission = easy.end()
            idle.append(easy)
            guard let submission else { return }
            self.answer(submission, answer)
            startNext(of: submission.origin)
        } else if let submission = pacing.withdraw(id) {
            self.answer(submission, answer())
        }
    }

    private func answer(_ submission: TransferInbox.Submission, _ answer: TransferInbox.Answer) {
        inbox.finished()
        submission.continuation.resume(returning: answer)
    }

    private func collectFinished() {
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
        for (easy, code) in finished {
            guard let id = easy.transfer?.submission.id else { continue }
            end(id, easy.answer(code))
        }
    }

    // MARK: Driving libcurl

    private func handle(_ event: EventPoll.Event) {
        guard event.descriptor != wake.descriptor else {
            wake.drain()
            return
        }
        var mask: Int32 = 0
        if event.canRead { mask |= CURL_CSELECT_IN }
        if event.canWrite { mask |= CURL_CSELECT_OUT }
        if event.hasFailed { mask |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        unsafe curl_multi_socket_action(multi, event.descriptor, mask, &running)
    }

    private func callWhenDue() {
        // libcurl names the next instant inside the call; one that is due already is for the next round.
        guard let due, .now >= due else { return }
        self.due = nil
        var running: Int32 = 0
        // -1 is CURL_SOCKET_TIMEOUT.
        unsafe curl_multi_socket_action(multi, -1, 0, &running)
    }

    private var socketCallback: curl_socket_callback {
        { _, socket, what, context, _ in
            guard let context = unsafe context else { return -1 }
            let engine = unsafe Unmanaged<TransferEngine>.fromOpaque(context).takeUnretainedValue()
            if what == CURL_POLL_REMOVE {
                engine.poll.forget(socket)
            } else {
                engine.poll.watch(socket, read: what & CURL_POLL_IN != 0, write: what & CURL_POLL_OUT != 0)
            }
            return 0
        }
    }

    private var timerCallback: curl_multi_timer_callback {
        { _, milliseconds, context in
            guard let context = unsafe context else { return -1 }
            let engine = unsafe Unmanaged<TransferEngine>.fromOpaque(context).takeUnretainedValue()
            engine.due = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
            return 0
        }
    }

    /// Initialises libcurl once a process, which is thread-safe here.
    private static let library = ccurl_global_init()
}
