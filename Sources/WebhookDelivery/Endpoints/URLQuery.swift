/// Rewrites the query of an endpoint's URL (omi.md 4.1).
package enum URLQuery {
    /// The URL with some parameters, which replace those of the same name; the others stay as they were.
    ///
    /// - Parameters:
    ///   - url: Any URL.
    ///   - parameters: Names and values, put at the end in this order.
    /// - Returns: The URL without a fragment.
    package static func setting(_ url: String, _ parameters: [(name: String, value: String)]) -> String {
        let whole = url.prefix { $0 != "#" }
        let parts = whole.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let kept = parts.count == 2 ? parts[1].split(separator: "&") : []
        let others = kept.filter { pair in
            let name = pair.prefix { $0 != "=" }
            return !parameters.contains { $0.name == unescaped(name) }
        }
        let added = parameters.map { "\(escaped($0.name))=\(escaped($0.value))" }
        return "\(parts[0])?" + (others.map(String.init) + added).joined(separator: "&")
    }

    /// The URL without its query and without user info: what may be shown.
    package static func withoutSecrets(_ url: String) -> String {
        let whole = String(url.prefix { $0 != "?" && $0 != "#" })
        guard let scheme = whole.firstRange(of: "://") else { return whole }
        let rest = whole[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return whole }
        return whole[..<scheme.upperBound] + String(rest[rest.index(after: at)...])
    }

    private static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }.joined()
    }

    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
