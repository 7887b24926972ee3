import NIOCore

/// A frame since the last restart point, kept because the next one may lie before it.
struct HeldFrame {
    let sequence: UInt64
    let bytes: ByteBuffer
    /// Samples it stands for, at the device's rate.
    let samples: Int
    /// Position of its first sample in the session.
    let firstSample: UInt64
    /// Unix µs of its first sample.
    let captureTime: Int64

    var endSample: UInt64 { firstSample + UInt64(samples) }
}
