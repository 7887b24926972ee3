package import NIOCore

/// A frame on its way into a part.
package struct PartFrame: Sendable, Equatable {
    /// Its number in the session.
    package let sequence: UInt64
    package let bytes: ByteBuffer
    /// Samples it stands for, at the device's rate, as gateway and workers count them.
    package let samples: Int
    /// Unix µs at which its first sample was captured.
    package let captureTime: Int64

    /// Makes a frame.
    package init(sequence: UInt64, bytes: ByteBuffer, samples: Int, captureTime: Int64) {
        self.sequence = sequence
        self.bytes = bytes
        self.samples = samples
        self.captureTime = captureTime
    }
}
