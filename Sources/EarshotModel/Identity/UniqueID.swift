import Crypto

/// A 128-bit identifier with the text form of a UUID (RFC 9562), lower case.
///
/// The domain keeps its own value type so that it needs no Foundation and writes ids into entries as 16 bytes.
package struct UniqueID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    /// Makes an id from its two halves, most significant first.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Draws a version 7 id from Unix µs: the milliseconds come first, so that ids sort by their birth.
    package static func timeOrdered(at microseconds: Int64) -> UniqueID {
        let milliseconds = UInt64(clamping: microseconds / 1000)
        let high = (milliseconds << 16) | 0x7000 | UInt64.random(in: 0...0x0FFF)
        return UniqueID(high: high, low: .random(in: 0...0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000)
    }

    /// Derives a version 5 (name-based, SHA-1) id: the same namespace and name always give the same id.
    package static func derived(from namespace: UniqueID, name: String) -> UniqueID {
        var hash = Insecure.SHA1()
        hash.update(data: namespace.bytes)
        hash.update(data: Array(name.utf8))
        let digest = Array(hash.finalize())
        func word(_ offset: Int) -> UInt64 { digest[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        return UniqueID(
            high: (word(0) & 0xFFFF_FFFF_FFFF_0FFF) | 0x5000,
            low: (word(8) & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000)
    }

    /// Reads the 36-character text form, in either case; anything else is `nil`.
    package init?(_ text: some StringProtocol) {
        let utf8 = Array(text.utf8)
        guard utf8.count == 36 else { return nil }
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        for (index, byte) in utf8.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let value = Self.hexValue(byte) else { return nil }
            digits.append(value)
        }
        func word(_ slice: ArraySlice<UInt8>) -> UInt64 { slice.reduce(0) { $0 << 4 | UInt64($1) } }
        self.init(high: word(digits[0..<16]), low: word(digits[16..<32]))
    }

    /// The 16 bytes, most significant first.
    package var bytes: [UInt8] {
        [high, low].flatMap { word in stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
        }
    }

    /// The lower-case text form, `8-4-4-4-12`.
    package var description: String {
        let alphabet = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(alphabet[Int(byte >> 4)])
            text.append(alphabet[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Orders ids by their bytes; for time-ordered ids that is the order of birth.
    package static func < (lhs: UniqueID, rhs: UniqueID) -> Bool { (lhs.high, lhs.low) < (rhs.high, rhs.low) }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
