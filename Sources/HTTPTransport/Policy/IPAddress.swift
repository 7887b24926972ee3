import CLibCurl
import Glibc

/// An IPv4 or IPv6 address, its bytes in network order.
struct IPAddress: Hashable, CustomStringConvertible {
    /// 4 or 16 bytes.
    let bytes: [UInt8]

    /// Takes 4 or 16 bytes.
    init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads an address in its usual form: `192.0.2.1`, `2001:db8::1`; no zone, no brackets.
    init?(_ text: String) {
        let length = text.contains(":") ? 16 : 4
        var bytes = [UInt8](repeating: 0, count: length)
        guard unsafe inet_pton(length == 16 ? AF_INET6 : AF_INET, text, &bytes) == 1 else { return nil }
        self.bytes = bytes
    }

    /// Reads what resolvers take for an IPv4 address: 1 to 4 numbers, decimal, octal (`0177`) or hexadecimal (`0x7f`).
    init?(legacy text: String) {
        var address = in_addr()
        guard unsafe inet_aton(text, &address) == 1 else { return nil }
        bytes = unsafe withUnsafeBytes(of: address.s_addr) { unsafe Array($0) }
    }

    /// The IPv4 address inside an address of a transition mechanism; nil when there is none.
    ///
    /// IPv4-mapped (RFC 4291, 2.5.5.2), -translated (RFC 2765), NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056).
    var embeddedIPv4: IPAddress? {
        guard bytes.count == 16 else { return nil }
        let last = IPAddress(bytes: Array(bytes[12...]))
        if Self.suffixed.contains(where: { $0.contains(self) }) { return last }
        return Self.sixToFour.contains(self) ? IPAddress(bytes: Array(bytes[2..<6])) : nil
    }

    /// Whether it is an IPv4 address in IPv6 notation, which sockets connect to as IPv4.
    var isMappedIPv4: Bool { Self.mapped.contains(self) }

    var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 16 ? AF_INET6 : AF_INET
        guard unsafe inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let mapped = AddressRange(literal: "::ffff:0:0/96")
    private static let suffixed = [
        mapped, AddressRange(literal: "::ffff:0:0:0/96"), AddressRange(literal: "64:ff9b::/96"),
        AddressRange(literal: "64:ff9b:1::/48"),
    ]
    private static let sixToFour = AddressRange(literal: "2002::/16")
}
