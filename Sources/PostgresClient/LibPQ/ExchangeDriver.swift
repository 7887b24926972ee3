/// Waits on behalf of one exchange and keeps its deadlines.
struct ExchangeDriver {
    private let terms: ExchangeTerms
    private let start = ContinuousClock.now
    private var deadline: ContinuousClock.Instant
    private(set) var isCancelRequested = false

    init(_ terms: ExchangeTerms) {
        self.terms = terms
        deadline = terms.deadline
    }

    /// Writes the request, reading meanwhile, lest both sides wait for the other to read.
    mutating func flush(_ handle: borrowing ConnectionHandle) throws(ExchangeFailure) {
        while true {
            guard let isLeft = handle.flush() else {
                // The server's last words may have arrived: they are found when the results are taken.
                return
            }
            guard isLeft else { return }
            let ready = try wait(handle, for: [.read, .write])
            if ready.canRead, !handle.consumeInput() { return }
        }
    }

    /// Returns the next result, nil at the end.
    mutating func next(_ handle: borrowing ConnectionHandle) throws(ExchangeFailure) -> ResultHandle? {
        while handle.isBusy {
            let ready = try wait(handle, for: .read)
            guard ready.canRead, !handle.consumeInput() else { continue }
            // After a broken read libpq hands out the error, or the result that came before it, without blocking.
            guard handle.isBroken else { throw handle.lost() }
            break
        }
        return handle.nextResult()
    }

    private mutating func wait(
        _ handle: borrowing ConnectionHandle, for interest: SocketWait.Interest
    ) throws(ExchangeFailure) -> (canRead: Bool, canWrite: Bool) {
        while true {
            guard handle.socket >= 0 else { throw handle.lost() }
            // Looked at before every wait, not only on a wake-up: an exchange before this one may have taken that.
            cancelIfAsked()
            switch SocketWait.wait(handle.socket, for: interest, wake: terms.wake, until: deadline) {
            case .ready(let canRead, let canWrite):
                return (canRead, canWrite)
            case .woken:
                continue
            case .timedOut:
                throw ExchangeFailure(error: expiry(), isConnectionUsable: false)
            case .failed(let reason):
                let error = PostgresError(.connectionLost, "waiting for the socket failed: \(reason)")
                throw ExchangeFailure(error: error, isConnectionUsable: false)
            }
        }
    }

    private mutating func cancelIfAsked() {
        guard let flag = terms.cancellation, flag.isRaised, !isCancelRequested else { return }
        isCancelRequested = true
        deadline = min(deadline, ContinuousClock.now + terms.cancellationGrace)
        terms.requestCancel()
    }

    private func expiry() -> PostgresError {
        if isCancelRequested {
            return PostgresError(.cancelled, "the task was cancelled, and the server did not confirm it in time")
        }
        return PostgresError(.timedOut, "the server did not answer in time; the connection was given up")
    }

    /// Tells the three reasons of SQLSTATE 57014 apart, which the server does only in its own language.
    func explained(_ error: PostgresError) -> PostgresError {
        guard error.code == .queryCancelled else { return error }
        if isCancelRequested {
            return PostgresError(.cancelled, "the task was cancelled", sqlState: error.sqlState)
        }
        guard start.duration(to: .now) >= terms.statementTimeout else { return error }
        return PostgresError(
            .timedOut, "the server ended the statement after \(terms.statementTimeout)", sqlState: error.sqlState)
    }
}
