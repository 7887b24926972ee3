/// A network: an address and the number of its leading bits that count.
struct AddressRange: Sendable {
    private let prefix: [UInt8]
    private let bits: Int

    /// Reads `10.0.0.0/8`, `fd00::/8` or a single address.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
        prefix = address.bytes
        guard parts.count == 2 else {
            bits = prefix.count * 8
            return
        }
        guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let bits = Int(parts[1]),
            bits <= prefix.count * 8
        else { return nil }
        self.bits = bits
    }

    /// Reads a range written in the source.
    init(literal text: String) {
        guard let range = AddressRange(text) else { preconditionFailure("\(text) is no address range") }
        self = range
    }

    /// Whether an address of the same family lies in the network.
    func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == prefix.count else { return false }
        let whole = bits / 8
        guard address.bytes.prefix(whole).elementsEqual(prefix.prefix(whole)) else { return false }
        let rest = bits % 8
        return rest == 0 || (address.bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0
    }
}
