extension ConnectionHandle {
    /// Sends a request and takes all its results, blocking the calling thread until the deadline at most.
    borrowing func exchange(
        _ request: ExchangeRequest, _ terms: ExchangeTerms
    ) throws(ExchangeFailure) -> Exchange {
        var driver = ExchangeDriver(terms)
        let isQueued =
            switch request {
            case .statement(let statement): send(statement.sql, statement.parameters)
            case .script(let script): send(script: script)
            }
        guard isQueued else { throw lost() }
        try driver.flush(self)
        var collector = ResultCollector(maximumBytes: terms.maximumResultBytes)
        while let result = try driver.next(self) {
            do {
                try collector.take(result)
            } catch {
                // What is still to come would have to be read and thrown away: give the connection up.
                throw ExchangeFailure(error: error, isConnectionUsable: false)
            }
        }
        // A cancel request may still be on its way and would hit the next statement.
        let isUsable = !isBroken && !driver.isCancelRequested
        if let error = collector.failure {
            throw ExchangeFailure(error: driver.explained(error), isConnectionUsable: isUsable)
        }
        guard collector.isComplete else { throw lost() }
        // A statement that outran its cancellation, or the end of its connection, has succeeded all the same.
        var exchange = collector.exchange
        exchange.isConnectionUsable = isUsable
        return exchange
    }

    /// The failure of a connection that is of no use any more.
    borrowing func lost() -> ExchangeFailure {
        let text = lastMessage
        return ExchangeFailure(
            error: PostgresError(.connectionLost, text.isEmpty ? "the connection is not usable any more" : text),
            isConnectionUsable: false)
    }
}
