package import EarshotModel
import NIOCore

/// A request to end a session, by its gateway (with the epoch) or, when that has lapsed, by the coordinator.
package struct SessionEnding: Sendable {
    package var session: SessionID
    package var user: UserID
    /// `nil` asks for the gateway to match only.
    package var epoch: FencingToken?
    /// A coordinator's lease of the partition, which must be the one of now (protocol.md H2); gateways have none.
    package var lease: FencingToken?
    package var gateway: Incarnation
    package var reason: EndReason
    /// Frames the session had; what a dead gateway's session had is not known (protocol.md M12).
    package var frames: UInt64
    package var firstSample: UInt64
    /// Unix µs.
    package var now: Int64

    /// Makes a request.
    package init(
        session: SessionID, user: UserID, epoch: FencingToken?, lease: FencingToken? = nil, gateway: Incarnation,
        reason: EndReason, frames: UInt64 = 0, firstSample: UInt64 = 0, now: Int64
    ) {
        self.session = session
        self.user = user
        self.epoch = epoch
        self.lease = lease
        self.gateway = gateway
        self.reason = reason
        self.frames = frames
        self.firstSample = firstSample
        self.now = now
    }

    /// The end marker's binary form.
    var marker: ByteBuffer {
        let entry = AudioEntry(
            session: session, epoch: 0, firstSequence: frames, firstSample: firstSample, sampleCount: 0,
            captureTime: now, flags: [], language: "", content: .end(reason))
        var buffer = ByteBuffer()
        entry.encode(into: &buffer)
        return buffer
    }

    /// What the end function answered.
    package enum Outcome: Equatable, Sendable {
        /// The marker stands at this position.
        case ended(StreamPosition)
        /// It was ended before, at this position.
        case alreadyEnded(StreamPosition)
        /// Another gateway or epoch owns the session, or another coordinator the partition.
        case fenced
        /// The registry does not know it.
        case unknown
    }
}
