/// The bounds of one exchange and the means to end it early.
struct ExchangeTerms {
    /// When the server itself should have ended the statement.
    let statementTimeout: Duration
    /// When this side gives the connection up.
    let deadline: ContinuousClock.Instant
    let cancellationGrace: Duration
    let maximumResultBytes: Int
    let wake: WakeSignal
    /// Set when the calling task is cancelled; nil for what must not be interrupted, such as a commit.
    let cancellation: CancellationFlag?
    /// Sends the server's cancel request from another thread.
    let requestCancel: () -> Void
}
