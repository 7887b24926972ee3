/// Reads the query part of a request target (`application/x-www-form-urlencoded`).
package enum QueryString {
    /// The decoded path and items of a request target; `nil` when the path has a broken escape or is not UTF-8.
    ///
    /// An item of which that is true stays as it was sent, as the back ends of today have it: most are ignored, and
    /// what is read is checked.
    package static func parse(_ target: some StringProtocol) -> (path: String, items: [(name: String, value: String)])?
    {
        let withoutFragment = target.prefix { $0 != "#" }
        let parts = withoutFragment.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first.flatMap({ decoded($0, plusIsSpace: false) }) else { return nil }
        guard parts.count == 2 else { return (path, []) }
        var items: [(name: String, value: String)] = []
        for pair in parts[1].split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let texts = halves.map { decoded($0, plusIsSpace: true) ?? String($0) }
            items.append((texts[0], texts.count == 2 ? texts[1] : ""))
        }
        return (path, items)
    }

    private static func decoded(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = iterator.next().flatMap(hexValue), let low = iterator.next().flatMap(hexValue) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
