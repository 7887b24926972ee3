import EarshotModel
import NIOCore

/// What the lane's commits carry: where the next part begins, and the bounds of one that is being stored.
struct StorageState: Equatable {
    /// A part whose bounds are fixed: whoever stores it stores exactly this (protocol.md C3).
    struct Bounds: Equatable {
        /// Numbers of its first and last frame.
        var frames: ClosedRange<UInt64>
        var format: StoredAudioPart.Format
        var isEncrypted: Bool
        /// Unix µs of its first sample.
        var start: Int64
    }

    /// Number of the part that is open or being stored.
    var part: UInt64 = 0
    /// Frames of the stored parts that could not be decoded.
    var corruptFrames: UInt64 = 0
    /// Unix µs right behind the last stored sample; `nil` before the first part.
    var storedUpTo: Int64?
    /// The last packets before the part.
    var leadIn: [[UInt8]] = []
    /// Set from the first commit of a part to its second.
    var bounds: Bounds?

    private static let version: UInt8 = 1

    /// The bytes a commit stores.
    var encoded: [UInt8] {
        var buffer = ByteBuffer()
        buffer.writeMultipleIntegers(Self.version, part, corruptFrames, storedUpTo ?? .min)
        buffer.writeInteger(UInt8(leadIn.count))
        for packet in leadIn {
            buffer.writeInteger(UInt16(packet.count))
            buffer.writeBytes(packet)
        }
        buffer.writeInteger(UInt8(bounds == nil ? 0 : 1))
        if let bounds {
            buffer.writeMultipleIntegers(
                bounds.frames.lowerBound, bounds.frames.upperBound, bounds.start, bounds.format.number,
                UInt8(bounds.isEncrypted ? 1 : 0))
        }
        return Array(buffer.readableBytesView)
    }

    init() {}

    /// Reads what a commit stored; nothing stored means the session's beginning.
    init(decoding bytes: [UInt8]) throws(UnreadableState) {
        guard !bytes.isEmpty else { return }
        var buffer = ByteBuffer(bytes: bytes)
        guard
            let (version, part, corrupt, storedUpTo, count) = buffer.readMultipleIntegers(
                as: (UInt8, UInt64, UInt64, Int64, UInt8).self), version == Self.version
        else { throw UnreadableState() }
        self.part = part
        corruptFrames = corrupt
        self.storedUpTo = storedUpTo == .min ? nil : storedUpTo
        for _ in 0..<count {
            guard let length = buffer.readInteger(as: UInt16.self), let packet = buffer.readBytes(length: Int(length))
            else { throw UnreadableState() }
            leadIn.append(packet)
        }
        guard let hasBounds = buffer.readInteger(as: UInt8.self) else { throw UnreadableState() }
        guard hasBounds == 1 else { return }
        guard
            let (first, last, start, format, isEncrypted) = buffer.readMultipleIntegers(
                as: (UInt64, UInt64, Int64, UInt8, UInt8).self),
            first <= last, let format = StoredAudioPart.Format(number: format)
        else { throw UnreadableState() }
        bounds = Bounds(frames: first...last, format: format, isEncrypted: isEncrypted == 1, start: start)
    }

    /// The stored state is not this version's.
    struct UnreadableState: Error {}
}

extension StoredAudioPart.Format {
    fileprivate var number: UInt8 {
        switch self {
        case .ogg: 0
        case .omi: 1
        }
    }

    fileprivate init?(number: UInt8) {
        switch number {
        case 0: self = .ogg
        case 1: self = .omi
        default: return nil
        }
    }
}
