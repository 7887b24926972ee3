/// What went wrong between this process and a Redis server.
///
/// `code` says whether the command may have run, which is what a caller must know before it repeats one; see
/// `mayHaveRun`.
package struct RedisError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// There was no connection and nothing was sent: the command has not run.
        case notConnected
        /// The command was sent, and the connection died or the deadline passed before its reply: it may have run.
        case outcomeUnknown
        /// The server answered with an error; `message` is its text and starts with its prefix word.
        case server
        /// The server sent something that is not RESP2, or not a reply that fits; what was pending may have run.
        case protocolViolation
        /// The configuration, an argument or a function library cannot be used; nothing was sent.
        case invalidConfiguration
        /// The task was cancelled or the wait was interrupted; a command that was already sent may have run.
        case cancelled
        /// A bound on what may wait was reached and nothing was sent.
        case overloaded
    }

    /// The kind of failure.
    package var code: Code
    /// What happened.
    ///
    /// For `.server` the server's own text and nothing else.
    package var message: String
    /// Where or during what it happened, such as `AUTH at redis.internal:6379`.
    package var context: String?
    /// The error below this one, if there was one.
    package var underlying: (any Error)?

    /// Creates an error.
    package init(_ code: Code, _ message: String, context: String? = nil, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.context = context
        self.underlying = underlying
    }

    /// Whether the command this error was thrown for may have taken effect on the server.
    ///
    /// A `.server` error counts as "no": Redis checks a command before it starts. A Lua function that fails half way
    /// has done what it did; its author knows.
    package var mayHaveRun: Bool {
        switch code {
        case .outcomeUnknown, .protocolViolation, .cancelled: true
        case .notConnected, .server, .invalidConfiguration, .overloaded: false
        }
    }

    /// The first word of a server error, such as `NOSCRIPT`, `OOM` or `ERR`; nil for every other code.
    package var prefix: String? {
        guard code == .server else { return nil }
        return message.split(separator: " ", maxSplits: 1).first.map(String.init)
    }

    /// One line for logs; holds no password.
    package var description: String {
        var text = "\(code.rawValue): \(message)"
        if let context { text += " (\(context))" }
        if let underlying { text += " [\(underlying)]" }
        return text
    }

    /// The same error, saying where it happened unless it already does.
    func during(_ place: @autoclosure () -> String) -> RedisError {
        guard context == nil else { return self }
        var copy = self
        copy.context = place()
        return copy
    }

    /// Turns whatever a future failed with into a `RedisError`; ours pass unchanged.
    static func wrapping(_ error: any Error, as code: Code, _ message: @autoclosure () -> String) -> RedisError {
        (error as? RedisError) ?? RedisError(code, message(), underlying: error)
    }
}
