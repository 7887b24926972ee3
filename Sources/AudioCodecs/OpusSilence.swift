/// Silence as Opus packets, for gaps between packets that are not encoded again.
///
/// Each is one full-band CELT frame whose first coded bit is the silence flag (RFC 6716, section 4.3): every decoder
/// turns it into zeros, faded in from what was before.
package enum OpusSilence {
    /// Samples at 48 kHz of the shortest packet, 2.5 ms; silence comes in multiples of it.
    package static let granularity = 120
    /// Samples at 48 kHz of the longest packet made, 20 ms.
    package static let longest = 960

    /// Packets with so many samples at 48 kHz, rounded down to whole 2.5 ms: 20 ms each, then the rest.
    package static func packets(samples: Int) -> [[UInt8]] {
        var packets = [[UInt8]](repeating: packet(longest), count: max(0, samples) / longest)
        var rest = max(0, samples) % longest
        for size in [480, 240, 120] where rest >= size {
            packets.append(packet(size))
            rest -= size
        }
        return packets
    }

    private static func packet(_ samples: Int) -> [UInt8] {
        // TOC: configurations 28 to 31 are full-band CELT of 2.5, 5, 10 and 20 ms; mono, one frame.
        let configuration: UInt8 =
            switch samples {
            case 120: 28
            case 240: 29
            case 480: 30
            default: 31
            }
        return [configuration << 3, 0xFF, 0xFE]
    }
}
