/// One request, and what its answer may cost.
package struct HTTPRequest: Sendable {
    /// What the server is asked to do.
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    /// What happens when a response's body is larger than `responseBytesMaximum`.
    package enum Overflow: Sendable {
        /// The exchange ends there, successfully, with `isTruncated` set.
        case truncate
        /// The exchange fails with `responseTooLarge`.
        case fail
    }

    /// What the server is asked to do.
    package var method: Method
    /// An absolute `https` (or `http`) URL in ASCII; sent as given, dot segments included.
    package var url: String
    /// Fields besides those the transport writes: `Host`, `User-Agent`, `Accept`, `Content-Length`, `Accept-Encoding`.
    package var headers: [HTTPHeader]
    /// The body, sent as given with its exact length.
    package var body: [UInt8]
    /// Time for the name's resolution, the connection and TLS together.
    package var connectTimeout: Duration = .seconds(2)
    /// Time for the whole exchange, the last byte of the response's body included.
    package var totalTimeout: Duration = .seconds(15)
    /// Most bytes of the response's body, counted after decompression.
    package var responseBytesMaximum = 16 * 1024
    /// What happens past `responseBytesMaximum`.
    package var overflow = Overflow.truncate
    /// Whether the server may compress (gzip, deflate); the body is decompressed on the way.
    package var acceptsCompression = true

    /// Makes a request with the default limits.
    package init(_ method: Method, _ url: String, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// What stands for the host and port: the URL before its path or query, however it is spelt.
    var origin: String {
        let text = url.utf8
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), text[colon...].starts(with: "://".utf8) else {
            return url
        }
        let host = text.index(colon, offsetBy: 3)
        return String(url[..<(text[host...].firstIndex { "/?#".utf8.contains($0) } ?? text.endIndex)])
    }
}
