import CLibCurl

/// What a URL says about the connection, parsed by the same parser that will connect.
struct URLParts {
    let scheme: String
    /// Lower case, IPv6 without brackets, numeric IPv4 in the usual form.
    let host: String
    /// As given; nil for the scheme's own.
    let port: Int?
    let hasUserInfo: Bool
    let hasZone: Bool

    init(_ url: String) throws(HTTPTransportError) {
        guard let handle = unsafe curl_url() else { throw HTTPTransportError(.invalidURL, "out of memory") }
        defer { unsafe curl_url_cleanup(handle) }
        let status = unsafe curl_url_set(handle, CURLUPART_URL, url, UInt32(CURLU_NON_SUPPORT_SCHEME))
        guard status == CURLUE_OK else {
            throw HTTPTransportError(
                .invalidURL, "not a URL like https://HOST/PATH: \(unsafe String(cString: curl_url_strerror(status)))")
        }
        func part(_ part: CURLUPart) -> String? {
            var text: UnsafeMutablePointer<CChar>?
            guard unsafe curl_url_get(handle, part, &text, 0) == CURLUE_OK, let text = unsafe text else { return nil }
            defer { unsafe curl_free(text) }
            return unsafe String(cString: text)
        }
        guard let scheme = part(CURLUPART_SCHEME), var host = part(CURLUPART_HOST), !host.isEmpty else {
            throw HTTPTransportError(.invalidURL, "the URL names no host")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        self.scheme = scheme.lowercased()
        self.host = host.lowercased()
        port = part(CURLUPART_PORT).flatMap { Int($0) }
        // Asking for a part costs an allocation; most URLs have neither character.
        hasUserInfo = url.utf8.contains(UInt8(ascii: "@")) && (part(CURLUPART_USER) ?? part(CURLUPART_PASSWORD)) != nil
        hasZone = host.contains("%") || (host.contains(":") && part(CURLUPART_ZONEID) != nil)
    }
}
