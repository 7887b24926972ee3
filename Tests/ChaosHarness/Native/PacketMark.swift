/// Whose an Opus packet is: it stands in the packet's padding, which no decoder listens to, so that the audio is the
/// same and yet no two packets are.
package struct PacketMark: Hashable, Sendable, CustomStringConvertible {
    package var device: UInt32
    /// The device's upload, from 0.
    package var upload: UInt32
    /// The message's number in its upload.
    package var number: UInt64

    // What decoders with extensions take for "the rest is padding", then a word to know the mark by.
    private static let label: [UInt8] = [0, 0x45, 0x41, 0x52]
    private static let byteCount = label.count + 16

    /// Makes a mark.
    package init(device: UInt32, upload: UInt32, number: UInt64) {
        self.device = device
        self.upload = upload
        self.number = number
    }

    package var description: String { "message \(number) of upload \(upload) of device \(device)" }

    /// Puts the mark into a packet (RFC 6716, section 3.2.5: only a packet of code 3 has padding).
    ///
    /// - Returns: the packet, or nil where there is none, or it has padding already.
    package func stamped(onto packet: some Collection<UInt8>) -> [UInt8]? {
        guard let first = packet.first else { return nil }
        var rest = packet.dropFirst()
        // Frame count, with a bit for frames of different lengths and one for padding.
        var count: UInt8 = 0x40
        switch first & 3 {
        case 0: count |= 1
        case 1: count |= 2
        case 2: count |= 0x82
        default:
            guard let own = rest.popFirst(), own & 0x40 == 0 else { return nil }
            count |= own
        }
        return [first | 3, count, UInt8(Self.byteCount)] + rest + encoded
    }

    /// Reads a packet's mark; nil when it has none.
    package init?(of packet: [UInt8]) {
        guard packet.count >= Self.byteCount + 3, packet[0] & 3 == 3, packet[1] & 0x40 != 0,
            packet[2] == UInt8(Self.byteCount)
        else { return nil }
        var mark = packet.suffix(Self.byteCount)
        guard mark.starts(with: Self.label) else { return nil }
        mark = mark.dropFirst(Self.label.count)
        func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(
            device: UInt32(number(mark.prefix(4))), upload: UInt32(number(mark.dropFirst(4).prefix(4))),
            number: number(mark.suffix(8)))
    }

    private var encoded: [UInt8] {
        func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
            stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
        }
        return Self.label + bytes(device) + bytes(upload) + bytes(number)
    }
}
