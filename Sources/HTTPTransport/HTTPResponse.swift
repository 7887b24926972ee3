/// What a server answered, whatever its status.
package struct HTTPResponse: Sendable {
    /// The status of the final response; redirects are not followed, so 3xx is seen here.
    package var status: Int
    /// The fields in the order they came, trailers excluded.
    package var headers: [HTTPHeader]
    /// The body, decompressed.
    package var body: [UInt8]
    /// Whether the body was longer than the request allowed and ends there.
    package var isTruncated: Bool
    /// The address the connection was made to, checked against the destination policy.
    package var remoteAddress: String
    /// From the start of the transfer to its end.
    package var duration: Duration

    /// Makes a response; for tests of those who send requests.
    package init(
        status: Int, headers: [HTTPHeader] = [], body: [UInt8] = [], isTruncated: Bool = false,
        remoteAddress: String = "", duration: Duration = .zero
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.isTruncated = isTruncated
        self.remoteAddress = remoteAddress
        self.duration = duration
    }

    /// The value of the first field of a name, compared without regard to case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.isEqualIgnoringCase(to: name) }?.value
    }
}
