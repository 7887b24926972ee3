/// Where the server is and how patient to be with it.
///
/// Counts below 1 act as 1. The password is in none of the texts this type makes of itself.
package struct PostgresConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// Each connection is a backend process on the server and a thread here, so few.
    package var maximumConnections = 30
    /// Callers that may wait for a connection; far above what a healthy process reaches within the timeout below.
    package var maximumWaiters = 1_000
    /// How long a caller waits for a connection of the pool.
    package var acquisitionTimeout: Duration = .seconds(10)
    /// The whole of one attempt: TCP, TLS, authentication.
    ///
    /// Name resolution may take the resolver's own time on top.
    package var connectTimeout: Duration = .seconds(2)
    /// The server ends a statement after this.
    package var statementTimeout: Duration = .seconds(30)
    /// How much longer this side waits for the server to say so before it gives the connection up.
    package var statementGrace: Duration = .seconds(2)
    /// How long a cancelled statement may take to end before its connection is given up.
    package var cancellationGrace: Duration = .seconds(2)
    /// A connection older than this is replaced when it is idle, so that DNS changes and server memory are followed.
    ///
    /// Each connection draws up to a tenth less, lest all be replaced at once.
    package var maximumConnectionAge: Duration = .seconds(3_600)
    /// A connection nobody has used for this long is closed: a burst must not keep the server's connections for ever.
    package var maximumIdleTime: Duration = .seconds(10)
    /// A connection idle for longer is asked `SELECT 1` before it is handed out.
    ///
    /// A server that was restarted a few seconds ago, or a path that has broken silently, must not fail the next
    /// statement; within a second of use the ping would only double the round trips of a busy process.
    package var idlePingThreshold: Duration = .seconds(1)
    /// One answer's bound in memory: the text of its values and 16 bytes for each.
    package var maximumResultBytes = 256 << 20
    /// How long sent bytes may stay unacknowledged before the kernel ends the connection.
    package var tcpUserTimeout: Duration = .seconds(10)
    /// Idle time before the kernel's first keep-alive probe; three more follow, 5 s apart.
    package var keepaliveIdle: Duration = .seconds(30)
    /// Shown in `pg_stat_activity`; the URL's `application_name` takes precedence.
    package var applicationName = "earshot"

    /// libpq's parameters as the URL gave them, in its order.
    let target: [ConnectionParameter]

    init(target: [ConnectionParameter]) {
        self.target = target
    }

    /// The URL without password and options.
    package var description: String {
        let user = value("user").map { "\($0)@" } ?? ""
        let host = value("host") ?? value("hostaddr") ?? ""
        let port = value("port").map { ":\($0)" } ?? ""
        return "postgres://\(user)\(host)\(port)/\(value("dbname") ?? "")"
    }

    /// Hides the parameters from `dump` and debuggers' summaries.
    package var customMirror: Mirror {
        Mirror(self, children: ["target": description, "maximumConnections": maximumConnections])
    }

    func value(_ keyword: String) -> String? {
        target.first { $0.keyword == keyword }?.value
    }

    var password: String? { value("password") }
}

/// One keyword and value of a libpq connection string.
struct ConnectionParameter: Sendable, Equatable {
    let keyword: String
    let value: String
}
