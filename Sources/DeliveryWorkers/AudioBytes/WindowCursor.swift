import EarshotModel
import NIOCore

/// How far one endpoint is with a session: what the lane's commits carry.
struct WindowCursor: Equatable {
    let endpoint: UniqueID
    /// Position in the session of the first sample that is not settled.
    var sample: UInt64
    /// Number of the window that begins there.
    var sequence: UInt64 = 0
    /// Windows skipped since the last one that arrived.
    var skipped: UInt64 = 0

    private static let version: UInt8 = 1

    /// The stored state is not this version's.
    struct UnreadableState: Error {}

    /// The bytes of some cursors, and of the positions where runs were ended.
    static func encode(_ cursors: [WindowCursor], breaks: [UInt64] = []) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(version, UInt16(clamping: cursors.count))
        for cursor in cursors {
            buffer.writeMultipleIntegers(
                cursor.endpoint.high, cursor.endpoint.low, cursor.sample, cursor.sequence, cursor.skipped)
        }
        for position in breaks { buffer.writeInteger(position) }
        return Array(buffer.readableBytesView)
    }

    /// Reads what a commit stored; nothing stored means the session's beginning.
    static func decode(
        _ bytes: [UInt8]
    ) throws(UnreadableState) -> (cursors: [WindowCursor], breaks: [UInt64]) {
        guard !bytes.isEmpty else { return ([], []) }
        var buffer = ByteBuffer(bytes: bytes)
        guard let (version, count) = buffer.readMultipleIntegers(as: (UInt8, UInt16).self), version == Self.version
        else { throw UnreadableState() }
        var cursors: [WindowCursor] = []
        for _ in 0..<count {
            guard
                let (high, low, sample, sequence, skipped) = buffer.readMultipleIntegers(
                    as: (UInt64, UInt64, UInt64, UInt64, UInt64).self)
            else { throw UnreadableState() }
            cursors.append(
                WindowCursor(
                    endpoint: UniqueID(high: high, low: low), sample: sample, sequence: sequence, skipped: skipped))
        }
        var breaks: [UInt64] = []
        while let position = buffer.readInteger(as: UInt64.self) { breaks.append(position) }
        guard buffer.readableBytes == 0 else { throw UnreadableState() }
        return (cursors, breaks)
    }
}
