import ChaosHarness
import EarshotModel
import Testing

@Suite struct PacketMarkTests {
    private let mark = PacketMark(device: 999, upload: 3, number: 1 << 40)

    /// Packets of 20 ms at 16 kHz of each code: one frame, two of one length, two of their own, and several.
    private static let packets: [[UInt8]] = [
        [0x48, 1, 2, 3], [0x49, 1, 2, 3, 4], [0x4A, 1, 9, 2, 3], [0x4B, 0x03, 1, 2, 3], [0x4B, 0x83, 1, 1, 7, 8, 9],
        [0xF8, 0xFF, 0xFE],
    ]

    @Test("A mark is found again, and the packet stays as long as it was", arguments: packets)
    func roundTrip(packet: [UInt8]) throws {
        let stamped = try #require(mark.stamped(onto: packet))
        #expect(PacketMark(of: stamped) == mark)
        func samples(_ packet: [UInt8]) -> Int? {
            OpusPacket.samples(first: packet.first, second: packet.dropFirst().first, sampleRate: 16_000)
        }
        #expect(samples(stamped) == samples(packet))
        #expect(samples(packet) != nil)
    }

    @Test("The frames' own bytes stand unchanged between the count and the padding", arguments: packets)
    func framesStay(packet: [UInt8]) throws {
        let stamped = try #require(mark.stamped(onto: packet))
        let isCounted = packet[0] & 3 == 3
        #expect(stamped[0] == packet[0] | 3)
        #expect(Array(stamped.dropFirst(3).dropLast(20)) == Array(packet.dropFirst(isCounted ? 2 : 1)))
    }

    @Test("No mark is seen where none is, and none is put over padding that is there")
    func none() throws {
        for packet in Self.packets { #expect(PacketMark(of: packet) == nil) }
        #expect(mark.stamped(onto: []) == nil)
        let stamped = try #require(mark.stamped(onto: Self.packets[0]))
        #expect(mark.stamped(onto: stamped) == nil)
        #expect(PacketMark(of: Array(stamped.dropLast())) == nil)
    }
}
