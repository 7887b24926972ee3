import AudioCodecs
import EarshotModel
import NIOCore

/// Makes the bytes of one part: a pure function of its specification and its frames (protocol.md C3).
///
/// A frame that cannot be decoded keeps its time as silence and is counted. Not `Sendable`: one task uses it.
package final class PartEncoder {
    private let writer: any PartWriter
    private let specification: PartSpecification
    private var timeline: PartTimeline
    private var recentPackets: [[UInt8]]
    private var corruptFrames: UInt64 = 0

    // Packets looked at for the next part's lead-in: 80 ms of the shortest ones are 32.
    private static let recentPacketsMax = 64

    /// Begins a part.
    ///
    /// - Throws: `AudioCodecError` when libopus cannot be set up.
    package init(_ specification: PartSpecification) throws {
        self.specification = specification
        timeline = specification.timeline
        recentPackets = specification.leadIn
        writer =
            switch specification.format {
            case .omi: try RawPartWriter(specification)
            case .ogg where specification.codec.isOpus: try OpusPartWriter(specification)
            case .ogg: try PCMPartWriter(specification)
            }
    }

    /// Adds the next frame, behind the silence that is due.
    package func append(_ frame: PartFrame) throws {
        let silence = timeline.silence(before: frame.captureTime)
        if silence > 0 {
            try writer.appendSilence(silence)
            timeline.add(samples: silence)
        }
        let isSound = try writer.append(frame.bytes, samples: frame.samples)
        timeline.add(samples: frame.samples)
        if !isSound { corruptFrames += 1 }
        guard isSound, specification.codec.isOpus else { return }
        recentPackets.append(Array(frame.bytes.readableBytesView))
        if recentPackets.count > Self.recentPacketsMax { recentPackets.removeFirst(Self.recentPacketsMax / 2) }
    }

    /// Ends the part.
    package func finish() throws -> EncodedPart {
        EncodedPart(
            bytes: try writer.finish(), timeline: timeline, corruptFrames: corruptFrames,
            leadOut: OpusLeadIn.next(after: recentPackets))
    }
}

/// A part's bytes, not encrypted yet, and what the next part needs.
package struct EncodedPart: Sendable {
    package var bytes: [UInt8]
    package var timeline: PartTimeline
    /// Frames that silence stands for.
    package var corruptFrames: UInt64
    /// The lead-in of the next part.
    package var leadOut: [[UInt8]]
}

extension PartSpecification {
    /// What an Ogg file says of itself.
    var comments: [String] { ["EARSHOT_SESSION=\(session)", "EARSHOT_PART=\(part)", "EARSHOT_START_US=\(start)"] }
}
