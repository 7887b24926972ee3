/// Drives all transfers on one thread: pools of libcurl's, over one `epoll` set.
///
/// libcurl's handles may be used by one thread at a time ("You must never share the same handle in multiple threads",
/// libcurl-thread(3)): this object is made on the engine's thread and never leaves it.
final class TransferEngine {
    private struct Active {
        let easy: EasyHandle
        let pool: Int
        let host: String
    }

    private let configuration: HTTPTransportConfiguration
    private let inbox: TransferInbox
    private let wake: WakeDescriptor
    private let poll: EventPoll
    private let pools: [TransferPool]
    private var choice: PoolChoice
    private var active: [UInt64: Active] = [:]
    /// For reuse; as many as were active at once, which the inbox bounds.
    private var idle: [EasyHandle] = []

    init(
        _ configuration: HTTPTransportConfiguration, inbox: TransferInbox, wake: WakeDescriptor
    ) throws(HTTPTransportError) {
        let poll = try EventPoll()
        let choice = PoolChoice(connectionsPerHostMaximum: configuration.connectionsPerHostMaximum)
        var pools: [TransferPool] = []
        for number in 0..<choice.pools {
            pools.append(
                try TransferPool(
                    number, connectionsPerHost: choice.share,
                    connections: max(1, configuration.connectionsMaximum / choice.pools), poll: poll))
        }
        self.configuration = configuration
        self.inbox = inbox
        self.wake = wake
        self.poll = poll
        self.pools = pools
        self.choice = choice
        // The number behind the pools' is nobody's.
        poll.watch(wake.descriptor, owner: pools.count, read: true, write: false)
    }

    /// Works until the inbox is closed; then answers everything with `closed`.
    func run() {
        while true {
            let batch = inbox.take()
            for submission in batch.submissions { start(submission) }
            for id in batch.cancellations { end(id, .failure(TransferInbox.cancelled)) }
            if batch.isClosed { break }
            for pool in pools {
                pool.callWhenDue()
                collectFinished(pool)
            }
            // What was just finished or added may want another call at once.
            let due = pools.lazy.compactMap(\.due).min()
            for event in poll.wait(due.map { ContinuousClock.now.duration(to: $0) }) {
                if event.owner < pools.count { pools[event.owner].handle(event) } else { wake.drain() }
            }
        }
        for id in active.keys { end(id, .failure(TransferInbox.closed)) }
        inbox.refuseRest()
    }

    private func start(_ submission: TransferInbox.Submission) {
        let host = PoolChoice.host(of: submission.request.url)
        let pool = choice.take(host)
        guard let easy = idle.popLast() ?? EasyHandle(configuration), easy.begin(submission), pools[pool].add(easy)
        else {
            choice.giveBack(pool, of: host)
            inbox.finished()
            let error = HTTPTransportError(.overloaded, "libcurl has no memory for another exchange")
            submission.continuation.resume(returning: .failure(error))
            return
        }
        active[submission.id] = Active(easy: easy, pool: pool, host: host)
    }

    private func end(_ id: UInt64, _ answer: @autoclosure () -> TransferInbox.Answer) {
        guard let transfer = active.removeValue(forKey: id) else { return }
        let answer = answer()
        pools[transfer.pool].remove(transfer.easy)
        choice.giveBack(transfer.pool, of: transfer.host)
        let submission = transfer.easy.end()
        idle.append(transfer.easy)
        inbox.finished()
        submission?.continuation.resume(returning: answer)
    }

    private func collectFinished(_ pool: TransferPool) {
        for (easy, code) in pool.takeFinished() {
            guard let id = easy.transfer?.submission.id else { continue }
            end(id, easy.answer(code))
        }
    }
}
