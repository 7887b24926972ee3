extension RedisConfiguration {
    /// Reads `redis://[user[:password]@]host[:port][/database]`, or `rediss://` for TLS.
    ///
    /// User and password may be percent-encoded; IPv6 addresses stand in square brackets. The port defaults to 6379,
    /// the database to 0. Queries and fragments are refused. Error messages name the part that is wrong and never
    /// repeat the URL, which may hold a password.
    ///
    /// - Parameter url: The URL.
    /// - Throws: `RedisError` with code `.invalidConfiguration`.
    package init(url: String) throws(RedisError) {
        guard let separator = url.firstRange(of: "://") else {
            throw Self.invalid("it has no scheme; allowed are redis:// and rediss://")
        }
        let tls: RedisTLS?
        switch url[..<separator.lowerBound].lowercased() {
        case "redis": tls = nil
        case "rediss": tls = RedisTLS()
        default: throw Self.invalid("its scheme is unknown; allowed are redis:// and rediss://")
        }

        let rest = url[separator.upperBound...]
        // A password may hold any of these only percent-encoded, so the first one ends the authority.
        guard !rest.contains("?"), !rest.contains("#") else {
            throw Self.invalid("queries and fragments are not allowed; percent-encode ? as %3F and # as %23")
        }
        let slash = rest.firstIndex(of: "/")
        var server = rest[..<(slash ?? rest.endIndex)]
        let path = slash.map { rest[rest.index(after: $0)...] } ?? ""

        var username: String?
        var password: String?
        if let at = server.lastIndex(of: "@") {
            (username, password) = try Self.credentials(server[..<at])
            server = server[server.index(after: at)...]
        }
        let (host, port) = try Self.endpoint(server)
        self.init(
            host: host, port: port, username: username, password: password, database: try Self.database(path),
            tls: tls)
        try validate()
    }

    private static func invalid(_ message: String) -> RedisError {
        RedisError(.invalidConfiguration, "the Redis URL cannot be used: \(message)")
    }

    private static func credentials(_ text: Substring) throws(RedisError) -> (String?, String?) {
        let colon = text.firstIndex(of: ":")
        let user = try decoded(text[..<(colon ?? text.endIndex)], "user name")
        guard let colon else { return (user.isEmpty ? nil : user, nil) }
        let password = try decoded(text[text.index(after: colon)...], "password")
        return (user.isEmpty ? nil : user, password.isEmpty && user.isEmpty ? nil : password)
    }

    private static func endpoint(_ text: Substring) throws(RedisError) -> (String, Int) {
        var host = text
        var portText: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw invalid("its IPv6 address has no closing ]") }
            host = text[text.index(after: text.startIndex)..<end]
            let tail = text[text.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw invalid("after ] only :port is allowed") }
            portText = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw invalid("it names no host") }
        guard let portText else { return (String(host), 6379) }
        guard let port = UInt16(portText), port > 0 else {
            throw invalid("its port is not a number from 1 to 65535")
        }
        return (String(host), Int(port))
    }

    private static func database(_ path: Substring) throws(RedisError) -> Int {
        guard !path.isEmpty else { return 0 }
        guard let number = Int(path), number >= 0 else {
            throw invalid("after the address only the number of a database is allowed")
        }
        return number
    }

    private static func decoded(_ text: Substring, _ part: String) throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            guard digits.count == 2 else { throw invalid("its \(part) has a % without two hexadecimal digits") }
            bytes.append(UInt8(digits[0] * 16 + digits[1]))
            rest = rest.dropFirst(2)
        }
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw invalid("its \(part) is not UTF-8 after percent-decoding")
        }
        return string
    }
}
