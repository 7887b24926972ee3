package import NIOCore

/// One numbered frame of a session: a codec packet, or a run of PCM, as the device sent it.
package struct AudioFrame: Sendable, Equatable {
    package let sequence: UInt64
    package let bytes: ByteBuffer

    /// Makes a frame.
    package init(sequence: UInt64, bytes: ByteBuffer) {
        self.sequence = sequence
        self.bytes = bytes
    }
}
