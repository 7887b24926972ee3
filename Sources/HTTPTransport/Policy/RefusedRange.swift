/// A network nobody outside may have Earshot connect to, and what it is.
struct RefusedRange {
    let range: AddressRange
    let kind: String

    private init(_ range: String, _ kind: String) {
        self.range = AddressRange(literal: range)
        self.kind = kind
    }

    /// The IPv4 networks that are not public: IANA's special-purpose registry, and cloud providers' metadata.
    static let ipv4 = [
        RefusedRange("0.0.0.0/8", "this network"),
        RefusedRange("10.0.0.0/8", "private network"),
        RefusedRange("100.64.0.0/10", "carrier-grade NAT"),
        RefusedRange("127.0.0.0/8", "loopback"),
        RefusedRange("168.63.129.16/32", "cloud metadata"),
        RefusedRange("169.254.0.0/16", "link-local, cloud metadata"),
        RefusedRange("172.16.0.0/12", "private network"),
        RefusedRange("192.0.0.0/24", "protocol assignments"),
        RefusedRange("192.0.2.0/24", "documentation"),
        RefusedRange("192.88.99.0/24", "6to4 relays"),
        RefusedRange("192.168.0.0/16", "private network"),
        RefusedRange("198.18.0.0/15", "benchmarks"),
        RefusedRange("198.51.100.0/24", "documentation"),
        RefusedRange("203.0.113.0/24", "documentation"),
        RefusedRange("224.0.0.0/4", "multicast"),
        RefusedRange("240.0.0.0/4", "reserved, broadcast"),
    ]

    /// The named IPv6 networks that are not public; besides them everything outside of `globalIPv6` is refused.
    static let ipv6 = [
        RefusedRange("::/128", "unspecified"),
        RefusedRange("::1/128", "loopback"),
        RefusedRange("64:ff9b::/96", "NAT64"),
        RefusedRange("64:ff9b:1::/48", "NAT64"),
        RefusedRange("100::/64", "discard"),
        RefusedRange("2001::/23", "protocol assignments"),
        RefusedRange("2001:db8::/32", "documentation"),
        RefusedRange("2002::/16", "6to4"),
        RefusedRange("3fff::/20", "documentation"),
        RefusedRange("5f00::/16", "segment routing"),
        RefusedRange("fc00::/7", "unique local, cloud metadata"),
        RefusedRange("fe80::/10", "link-local"),
        RefusedRange("fec0::/10", "site-local"),
        RefusedRange("ff00::/8", "multicast"),
    ]

    /// The only part of IPv6 from which public addresses are given out (RFC 4291, 2.4).
    static let globalIPv6 = AddressRange(literal: "2000::/3")
}
