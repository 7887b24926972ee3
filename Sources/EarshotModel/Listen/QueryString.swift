/// Reads the query part of a request target (`application/x-www-form-urlencoded`).
package enum QueryString {
    /// The decoded path and items of a request target; `nil` when an escape is broken or the result is not UTF-8.
    package static func parse(_ target: some StringProtocol) -> (path: String, items: [(name: String, value: String)])?
    {
        let withoutFragment = target.prefix { $0 != "#" }
        let parts = withoutFragment.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = parts.first.flatMap({ decoded($0, plusIsSpace: false) }) else { return nil }
        guard parts.count == 2 else { return (path, []) }
        var items: [(name: String, value: String)] = []
        for pair in parts[1].split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(halves[0], plusIsSpace: true),
                let value = halves.count == 2 ? decoded(halves[1], plusIsSpace: true) : ""
            else { return nil }
            items.append((name, value))
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
