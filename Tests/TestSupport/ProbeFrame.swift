package import EarshotModel
package import NIOCore

/// What a frame tells `LaneProbe` to do.
package enum ProbeFrame: Equatable, Sendable {
    /// Nothing: it is counted.
    case audio
    /// To end with `abort()`, like a decoder that meets what it was never meant to.
    case abort
    /// To hang for good, cancelled or not, like a call into a library that never returns.
    case hang
    /// To go on when a file exists.
    case wait(path: String)

    /// Reads a frame.
    package init(_ bytes: ByteBuffer) {
        let text = String(buffer: bytes)
        if text == "abort" {
            self = .abort
        } else if text == "hang" {
            self = .hang
        } else if text.hasPrefix("wait ") {
            self = .wait(path: String(text.dropFirst(5)))
        } else {
            self = .audio
        }
    }

    /// The frame's bytes; only for those that tell something.
    package var bytes: ByteBuffer {
        switch self {
        case .audio: ByteBuffer()
        case .abort: ByteBuffer(string: "abort")
        case .hang: ByteBuffer(string: "hang")
        case .wait(let path): ByteBuffer(string: "wait \(path)")
        }
    }

    /// The clocks of probes: short, because tests wait for lapses.
    ///
    /// They need not outlast a busy machine's pauses, since a lapse too many costs a replay and nothing else.
    package static var limits: Limits {
        var limits = Limits()
        limits.heartbeatInterval = .milliseconds(100)
        limits.leaseLapse = .milliseconds(1_200)
        limits.memberMaturity = .milliseconds(300)
        limits.laneIdle = .milliseconds(300)
        limits.readBlock = .milliseconds(100)
        limits.positionCommitInterval = .milliseconds(50)
        return limits
    }
}
