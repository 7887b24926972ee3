import EarshotModel
import NIOCore

/// Where a transcript lane begins anew, in normal running and after a take-over alike; the state its commits carry.
struct RestartPoint: Equatable {
    /// Samples of the first needed frame that lie before the point; 0 at a packet boundary.
    var skip: UInt32 = 0
    /// The point's position in the session, in samples of the device.
    var sample: UInt64 = 0
    /// Frames before the point that could not be decoded.
    var corruptFrames: UInt64 = 0
    /// What the audio before the point came to, of its day.
    var usage = DayUsage()

    private static let version: UInt8 = 2
    /// Bytes of `encoded`; what stands behind them is not read.
    static let encodedLength = 1 + 4 + 8 + 8 + DayUsage.encodedLength

    /// The bytes a commit stores.
    var encoded: [UInt8] {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(Self.version, skip, sample, corruptFrames)
        usage.encode(into: &buffer)
        return Array(buffer.readableBytesView)
    }

    init() {}

    /// Reads what a commit stored; nothing stored means the session's beginning.
    init(decoding bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        var buffer = ByteBuffer(bytes: bytes)
        guard
            let (version, skip, sample, corrupt) = buffer.readMultipleIntegers(
                as: (UInt8, UInt32, UInt64, UInt64).self),
            version == Self.version, let usage = DayUsage(decoding: &buffer)
        else { throw UnreadableState() }
        self.skip = skip
        self.sample = sample
        self.corruptFrames = corrupt
        self.usage = usage
    }

    /// The stored state is not this version's.
    struct UnreadableState: Error {}
}
