package import NIOCore

/// One message of an upload, and how much audio it holds.
package struct UploadFrame: Sendable, Equatable {
    /// The bytes to send: samples, or one Opus packet.
    package let payload: ByteBuffer
    /// How much audio it holds; zero when that is not known.
    package let duration: Duration

    /// Makes a frame.
    package init(payload: ByteBuffer, duration: Duration) {
        self.payload = payload
        self.duration = duration
    }
}
