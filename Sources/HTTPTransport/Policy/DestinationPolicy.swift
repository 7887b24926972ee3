/// Where connections may go: to public addresses, and to what an operator allows besides.
///
/// The policy is enforced on the address of every connection, when its socket is made: after the name's resolution, on
/// every attempt, whatever the name said earlier. A kept connection goes to an address that was checked; so does a
/// new one. Of a name with several addresses the refused ones are never connected to and the others may be; when all
/// that could be tried were refused, the exchange fails with `destinationRefused`. `check(url:)` refuses early what can
/// be seen without resolving.
package struct DestinationPolicy: Sendable {
    /// Longest URL: what servers and proxies commonly take.
    package static let urlBytesMaximum = 8 * 1024

    private let allowed: [AddressRange]
    private let allowsPlainHTTP: Bool

    /// Makes a policy.
    ///
    /// - Parameters:
    ///   - allowedNetworks: Networks (`10.0.0.0/8`, `fd00::/8`) or single addresses that are allowed although they are
    ///     not public.
    ///   - allowsPlainHTTP: Whether `http` is allowed besides `https`.
    /// - Throws: `DestinationPolicyError` that names what is no network.
    package init(
        allowedNetworks: [String] = [], allowsPlainHTTP: Bool = false
    ) throws(DestinationPolicyError) {
        var allowed: [AddressRange] = []
        for network in allowedNetworks {
            guard let range = AddressRange(network) else {
                throw DestinationPolicyError(
                    "\(network.prefix(60).debugDescription) is not a network; allowed are forms like 10.0.0.0/8, "
                        + "fd00::/8, 192.0.2.7")
            }
            allowed.append(range)
        }
        self.allowed = allowed
        self.allowsPlainHTTP = allowsPlainHTTP
    }

    private init(allowed: [AddressRange], allowsPlainHTTP: Bool) {
        self.allowed = allowed
        self.allowsPlainHTTP = allowsPlainHTTP
    }

    /// Allows every address: for URLs that the operator chose, never for those of users.
    package static func anyAddress(allowsPlainHTTP: Bool) -> DestinationPolicy {
        DestinationPolicy(
            allowed: [AddressRange(literal: "0.0.0.0/0"), AddressRange(literal: "::/0")],
            allowsPlainHTTP: allowsPlainHTTP)
    }

    /// The schemes allowed, as libcurl lists them.
    var schemes: String { allowsPlainHTTP ? "http,https" : "https" }

    /// Checks what a URL shows without resolving its name: syntax, scheme, literal addresses, user info, zone, port.
    ///
    /// - Throws: `HTTPTransportError` with `invalidURL` or `destinationRefused`.
    package func check(url: String) throws(HTTPTransportError) {
        guard url.utf8.count <= Self.urlBytesMaximum else {
            throw HTTPTransportError(.invalidURL, "the URL is longer than \(Self.urlBytesMaximum) bytes")
        }
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw HTTPTransportError(
                .invalidURL,
                "a URL is ASCII without spaces and control characters; encode others as %XX, names as xn--…")
        }
        // The parser takes one to three slashes, which other parsers read otherwise.
        guard let start = url.firstRange(of: "://"), url[start.upperBound...].first != "/" else {
            throw HTTPTransportError(.invalidURL, "not a URL like https://HOST/PATH")
        }
        let parts = try URLParts(url)
        switch parts.scheme {
        case "https": break
        case "http":
            guard allowsPlainHTTP else {
                throw HTTPTransportError(.destinationRefused, "http is not allowed here; use https")
            }
        default: throw HTTPTransportError(.invalidURL, "the scheme must be https\(allowsPlainHTTP ? " or http" : "")")
        }
        guard !parts.hasUserInfo else {
            throw HTTPTransportError(.invalidURL, "a URL must not carry a user or a password")
        }
        guard parts.port != 0 else { throw HTTPTransportError(.invalidURL, "port 0 cannot be connected to") }
        guard !parts.hasZone else {
            throw HTTPTransportError(.destinationRefused, "an address with a zone is local to this machine's network")
        }
        try check(host: parts.host)
    }

    /// Whether connections to an address are allowed; false for what is no address.
    package func allows(address: String) -> Bool {
        IPAddress(address).map { refusal(of: $0) == nil } ?? false
    }

    /// Says why an address is refused; nil when it is allowed.
    func refusal(of address: IPAddress) -> String? {
        if let embedded = address.embeddedIPv4 {
            // The same host by another name (mapped), or one that a gateway may translate to: both must be allowed.
            if let refusal = refusal(of: embedded) { return refusal }
            if address.isMappedIPv4 { return nil }
        }
        if allowed.contains(where: { $0.contains(address) }) { return nil }
        let ranges = address.bytes.count == 4 ? RefusedRange.ipv4 : RefusedRange.ipv6
        if let refused = ranges.first(where: { $0.range.contains(address) }) { return refused.kind }
        return address.bytes.count == 4 || RefusedRange.globalIPv6.contains(address) ? nil : "not a public address"
    }

    private func check(host: String) throws(HTTPTransportError) {
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        guard let address = IPAddress(name) ?? IPAddress(legacy: name) else { return }
        if let refusal = refusal(of: address) { throw Self.refused(address, refusal) }
    }

    /// The error for a refused address.
    static func refused(_ address: IPAddress, _ reason: String) -> HTTPTransportError {
        HTTPTransportError(.destinationRefused, "connections to \(address) are not allowed: \(reason)")
    }
}
