import EarshotModel

/// A connection that live results of sessions are brought to.
protocol LiveResultReceiver: GatewayConnection {
    /// Takes in a result of one of the connection's sessions.
    func deliver(_ result: LiveResult)
    /// Fetches the final results kept of a session, because some may have been missed.
    func fetchFinals(of session: SessionID)
    /// Another connection continues a session.
    func wasTaken(_ session: SessionID)
}

extension ListenSession: LiveResultReceiver {
    /// Its device has gone over to the native endpoint.
    func wasTaken(_ session: SessionID) {
        guard session == id else { return }
        stream?.abandon()
        epochWasLost()
    }
}
