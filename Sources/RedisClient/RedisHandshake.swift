import NIOCore

/// What is said between the opening of a channel and its first use.
struct RedisHandshake: Sendable {
    let configuration: RedisConfiguration

    /// The steps, each named for error messages.
    ///
    /// The two `INFO` and `PING` are always the last three.
    private var steps: [(name: String, command: RedisCommand)] {
        var steps: [(String, RedisCommand)] = []
        if let username = configuration.username {
            let password = configuration.password ?? ""
            steps.append(("AUTH as \(username)", RedisCommand("AUTH", .init(username), .init(password))))
        } else if let password = configuration.password {
            steps.append(("AUTH as the default user", RedisCommand("AUTH", .init(password))))
        }
        if configuration.database != 0 {
            let database = configuration.database
            steps.append(("SELECT \(database)", RedisCommand("SELECT", .init(database))))
        }
        if !configuration.clientName.isEmpty {
            steps.append(("CLIENT SETNAME", RedisCommand("CLIENT", "SETNAME", .init(configuration.clientName))))
        }
        steps.append(("INFO server", RedisCommand("INFO", "server")))
        steps.append(("INFO replication", RedisCommand("INFO", "replication")))
        // The only step that a server refuses while it loads its data, so such a server counts as not there yet.
        steps.append(("PING", RedisCommand("PING")))
        return steps
    }

    /// Performs the steps in one round trip; closes the channel if one is refused.
    ///
    /// To be called on its loop.
    func perform(
        on channel: any Channel, _ handler: NIOLoopBound<RedisChannelHandler>
    ) -> EventLoopFuture<RedisConnection> {
        let steps = steps
        return handler.value.send(RedisPipeline(steps.map(\.command)), timeout: configuration.connectTimeout)
            .flatMapThrowing { replies in
                try connection(on: channel, handler, names: steps.map(\.name), replies)
            }
            .flatMapErrorThrowing { error in
                let reason = explained(error)
                handler.value.close(reason)
                throw reason
            }
    }

    private func connection(
        on channel: any Channel, _ handler: NIOLoopBound<RedisChannelHandler>, names: [String], _ replies: [RESPValue]
    ) throws(RedisError) -> RedisConnection {
        for (name, reply) in zip(names, replies) {
            if let error = reply.asError { throw error.during("\(name) at \(configuration.address)") }
        }
        let information = replies.suffix(3)
        let server = information.first?.string ?? ""
        let replication = information.dropFirst().first?.string ?? ""
        guard let runID = Self.field("run_id", of: server),
            let replicationID = Self.field("master_replid", of: replication)
        else {
            throw RedisError(
                .protocolViolation, "\(configuration.address) answered INFO without run_id or master_replid")
        }
        return RedisConnection(
            channel: channel, handler: handler, commandTimeout: configuration.commandTimeout,
            serverRunID: String(runID), replicationID: String(replicationID))
    }

    /// Nothing of the caller's was sent yet, so a lost connection is one that never came about.
    private func explained(_ error: any Error) -> RedisError {
        let error = RedisError.wrapping(error, as: .notConnected, "the handshake failed")
        guard error.code == .outcomeUnknown || error.code == .notConnected else { return error }
        let subject = configuration.tls == nil ? "Redis" : "Redis over TLS"
        return RedisError(
            .notConnected, "\(subject) at \(configuration.address) did not admit us: \(error.message)",
            underlying: error.underlying)
    }

    /// The value of `name:value` in the text `INFO` answers with.
    static func field(_ name: String, of information: String) -> Substring? {
        for line in information.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":"), line[..<colon] == name else { continue }
            return line[line.index(after: colon)...]
        }
        return nil
    }
}
