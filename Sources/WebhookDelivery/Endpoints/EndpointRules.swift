import HTTPTransport

/// Which settings of an endpoint are allowed; every refusal names what was wrong and what is allowed.
package enum EndpointRules {
    /// Bounds of the settings.
    package static let urlBytesMaximum = 2_048
    package static let headersMaximum = 20
    package static let headerBytesMaximum = 1_024
    package static let concurrencyRange = 1...64
    package static let rateRange = 1...1_000
    package static let windowSecondsRange = 1...60

    /// Checks all settings.
    ///
    /// - Throws: `.invalidEndpoint`.
    package static func check(_ endpoint: WebhookEndpoint) throws(WebhookError) {
        try checkURL(endpoint.url)
        guard !endpoint.events.isEmpty else { throw refusal("no events; name at least one of \(names(endpoint))") }
        for event in endpoint.events where !endpoint.dialect.events.contains(event) {
            throw refusal(
                "the event \(event.rawValue) does not exist in the dialect \(endpoint.dialect.rawValue); allowed are "
                    + names(endpoint))
        }
        try check("the concurrency", endpoint.concurrency, in: concurrencyRange)
        try check("the rate", endpoint.rate, in: rateRange)
        try check("the window in seconds", endpoint.windowSeconds, in: windowSecondsRange)
        try checkHeaders(endpoint.headers)
    }

    /// Checks a URL's form; where it leads is checked at each attempt.
    package static func checkURL(_ url: String) throws(WebhookError) {
        guard url.utf8.count <= urlBytesMaximum else {
            throw refusal("the URL has \(url.utf8.count) bytes; at most \(urlBytesMaximum) are allowed")
        }
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw refusal("the URL holds a space, a control character or one outside ASCII; escape them with %")
        }
        guard !url.contains("#") else { throw refusal("the URL has a fragment (#…), which no receiver would see") }
        do throws(HTTPTransportError) {
            // Only the form: everything that a worker's policy may allow is allowed here.
            try DestinationPolicy.anyAddress(allowsPlainHTTP: true).check(url: url)
        } catch let problem {
            throw refusal(problem.message)
        }
    }

    /// Headers of our own, and those that belong to the connection; nobody else may set them.
    package static func isReserved(_ name: String) -> Bool {
        let name = name.lowercased()
        let prefixes = ["webhook-", "svix-", "earshot-", "x-omi-", "proxy-", "sec-", ":"]
        let names = [
            "host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "upgrade",
            "keep-alive", "te", "trailer", "expect", "user-agent", "accept", "accept-encoding", "idempotency-key",
            "cookie", "date", "via",
        ]
        return names.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }

    private static func checkHeaders(_ headers: [String: String]) throws(WebhookError) {
        guard headers.count <= headersMaximum else {
            throw refusal("\(headers.count) headers; at most \(headersMaximum) are allowed")
        }
        guard Set(headers.keys.map { $0.lowercased() }).count == headers.count else {
            throw refusal("a header is there twice")
        }
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(isToken) else {
                throw refusal(
                    "\(name.debugDescription) is not a header's name; allowed are letters, digits and !#$%&'*+-.^_`|~")
            }
            guard !isReserved(name) else { throw refusal("the header \(name) is reserved") }
            guard name.utf8.count + value.utf8.count <= headerBytesMaximum else {
                throw refusal("the header \(name) is longer than \(headerBytesMaximum) bytes")
            }
            guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw refusal("the value of the header \(name) holds a control character or one outside ASCII")
            }
        }
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func check(
        _ what: String, _ value: Int, in range: ClosedRange<Int>
    ) throws(WebhookError) {
        guard range.contains(value) else {
            throw refusal("\(what) is \(value); allowed are \(range.lowerBound) to \(range.upperBound)")
        }
    }

    private static func names(_ endpoint: WebhookEndpoint) -> String {
        endpoint.dialect.events.map(\.rawValue).joined(separator: ", ")
    }

    private static func refusal(_ message: String) -> WebhookError { WebhookError(.invalidEndpoint, message) }
}
