import EarshotClient
import NIOCore

/// Opus packets that native devices send, each with its mark.
struct NativeRecording: Sendable {
    private let packets: [[UInt8]]
    /// How much audio one holds.
    let packetDuration: Duration
    let codec: DeviceCodec

    /// Takes a stream's packets.
    ///
    /// - Throws: `HarnessError` when one of them cannot be marked.
    init(_ stream: DeviceStream) throws {
        var iterator = try stream.makeIterator()
        var packets: [[UInt8]] = []
        var duration = Duration.zero
        while let message = try iterator.next() {
            let packet = Array(message.payload.readableBytesView)
            guard PacketMark(device: 0, upload: 0, number: 0).stamped(onto: packet) != nil else {
                throw HarnessError("packet \(packets.count) cannot be marked: it is no Opus, or has padding")
            }
            packets.append(packet)
            duration = message.duration
        }
        guard !packets.isEmpty else { throw HarnessError("a recording without packets cannot be sent") }
        self.packets = packets
        packetDuration = duration
        codec = stream.codec
    }

    /// Packets until the audio begins again.
    var count: Int { packets.count }

    /// The packet that goes out under a mark's number.
    func packet(_ mark: PacketMark) -> [UInt8] {
        // All could be marked at the beginning.
        mark.stamped(onto: packets[Int(mark.number % UInt64(packets.count))]) ?? []
    }
}
