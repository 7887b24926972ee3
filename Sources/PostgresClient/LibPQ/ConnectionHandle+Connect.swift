extension ConnectionHandle {
    /// Connects, blocking the calling thread until `deadline` at most (see `PostgresConfiguration/connectTimeout`).
    ///
    /// - Throws: `.timedOut`, `.cancelled`, `.authenticationFailed`, `.tooManyConnections`, `.connectionFailed` …
    borrowing func connect(
        until deadline: ContinuousClock.Instant, wake: WakeSignal, cancellation: CancellationFlag, password: String?
    ) throws(PostgresError) {
        // libpq asks for this first wait; on failure there is no socket to wait for.
        var interest: SocketWait.Interest = .write
        guard !isBroken else { throw connectError(password) }
        while true {
            guard !cancellation.isRaised else {
                throw PostgresError(.cancelled, "the task was cancelled while a connection was being opened")
            }
            switch SocketWait.wait(socket, for: interest, wake: wake, until: deadline) {
            case .woken:
                continue
            case .timedOut:
                throw PostgresError(.timedOut, "the server did not complete a connection in time")
            case .failed(let reason):
                throw PostgresError(.connectionFailed, "waiting for the socket failed: \(reason)")
            case .ready:
                break
            }
            switch connectStep() {
            case .wantsRead: interest = .read
            case .wantsWrite: interest = .write
            case .connected: return
            case .failed: throw connectError(password)
            }
        }
    }

    private borrowing func connectError(_ password: String?) -> PostgresError {
        let found = SQLState.inVerboseMessage(lastVerboseMessage)
        var text = found?.text ?? lastMessage
        if let password, !password.isEmpty {
            // libpq does not quote it today; this holds whatever it does tomorrow.
            text = text.split(separator: password, omittingEmptySubsequences: false).joined(separator: "***")
        }
        guard let found else { return PostgresError(.connectionFailed, text) }
        let code = SQLState.code(found.state)
        // A class 08 answer to an attempt is an attempt that failed, not a connection that was lost.
        return PostgresError(code == .connectionLost ? .connectionFailed : code, text, sqlState: found.state)
    }
}
