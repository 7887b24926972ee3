import CLibPQ

extension PostgresConfiguration {
    /// Reads a connection URL as libpq does.
    ///
    /// `postgres://user:password@host:port/database?sslmode=require`, also `postgresql://`, several hosts separated by
    /// commas, and `postgres:///database?host=/run/postgresql` for a Unix socket. What the URL leaves out comes from
    /// libpq's environment (`PGUSER`, `PGPASSWORD` …). `connect_timeout` (seconds) sets ``connectTimeout``.
    ///
    /// - Throws: `.invalidConfiguration`; the message does not quote a URL that may hold a password.
    package init(url: String) throws(PostgresError) {
        guard url.hasPrefix("postgres://") || url.hasPrefix("postgresql://") else {
            throw Self.invalid("it must begin with postgres:// or postgresql://")
        }
        guard !url.utf8.contains(0) else { throw Self.invalid("it contains a NUL character") }
        // Only what stands before the path is searched: a second @ there is a password that was not encoded, and
        // libpq would take a piece of it for the host and quote it in errors.
        let authority = url.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" && $0 != "?" }
        guard authority.count(where: { $0 == "@" }) <= 1 else {
            throw Self.invalid("it has more than one @ before the path; write one that belongs to a password as %40")
        }
        self.init(target: try Self.parameters(url))
        try validatePorts()
        try validateTLSMode()
        if let text = value("connect_timeout") {
            guard let seconds = Int(text), (1...3_600).contains(seconds) else {
                throw Self.invalid("connect_timeout is not a number of seconds from 1 to 3600")
            }
            connectTimeout = .seconds(seconds)
        }
    }

    private static func invalid(_ reason: String) -> PostgresError {
        PostgresError(
            .invalidConfiguration,
            "the PostgreSQL URL is not usable: \(reason). Expected postgres://user:password@host:port/database, "
                + "with reserved characters percent-encoded")
    }

    private static func parameters(_ url: String) throws(PostgresError) -> [ConnectionParameter] {
        var reason: UnsafeMutablePointer<CChar>?
        guard let options = unsafe PQconninfoParse(url, &reason) else {
            let text = unsafe reason.map { unsafe String(cString: $0) } ?? "out of memory"
            unsafe PQfreemem(reason)
            let isSecret = url.contains("@") || url.contains("password")
            throw invalid(isSecret ? "libpq rejects it (what it says may quote the password)" : trimmed(text))
        }
        defer { unsafe PQconninfoFree(options) }
        var parameters: [ConnectionParameter] = []
        var option = unsafe options
        // The array ends with an entry that has no keyword.
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe parameters.append(
                    ConnectionParameter(keyword: String(cString: keyword), value: String(cString: value)))
            }
            unsafe option += 1
        }
        return parameters
    }

    private func validatePorts() throws(PostgresError) {
        for port in (value("port") ?? "5432").split(separator: ",", omittingEmptySubsequences: false)
        where !port.isEmpty {
            guard let number = Int(port), (1...65_535).contains(number) else {
                throw Self.invalid("the port is not a number from 1 to 65535")
            }
        }
    }

    private func validateTLSMode() throws(PostgresError) {
        let allowed = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
        guard let mode = value("sslmode"), !allowed.contains(mode) else { return }
        throw Self.invalid("sslmode is none of \(allowed.joined(separator: ", "))")
    }

    private static func trimmed(_ text: String) -> String {
        String(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    }

    /// What is given to libpq: the URL's parameters and, where it is silent, ours.
    var connectionParameters: [ConnectionParameter] {
        let session = [
            "-c statement_timeout=\(statementTimeout.wholeMilliseconds)", "-c timezone=UTC", "-c datestyle=ISO",
            "-c intervalstyle=postgres", "-c bytea_output=hex", "-c extra_float_digits=1",
        ]
        // Ours last: the adapter reads what these settings make the server print.
        let options = ([value("options")].compactMap { $0 } + session).joined(separator: " ")
        let defaults: [(String, String)] = [
            ("application_name", applicationName),
            ("keepalives", "1"), ("keepalives_idle", String(max(1, keepaliveIdle.components.seconds))),
            ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", String(tcpUserTimeout.wholeMilliseconds)),
            // Kerberos is not used; probing for it costs a round trip and libraries that are not free of locks.
            ("gssencmode", "disable"),
        ]
        let replaced: Set = ["options", "client_encoding", "connect_timeout"]
        let given = target.filter { !replaced.contains($0.keyword) }
        let missing = defaults.filter { entry in !given.contains { $0.keyword == entry.0 } }
        return given + missing.map { ConnectionParameter(keyword: $0.0, value: $0.1) }
            + [
                ConnectionParameter(keyword: "options", value: options),
                ConnectionParameter(keyword: "client_encoding", value: "UTF8"),
            ]
    }
}

extension Duration {
    /// Milliseconds, rounded up, from 1 to what the server's 32-bit settings hold.
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        guard self > .zero else { return 1 }
        return max(1, Int(seconds) * 1_000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
