/// Some seconds of a session for one endpoint.
struct AudioWindow: Equatable, Sendable {
    /// Its number in the session and endpoint, from 0.
    let sequence: UInt64
    /// Positions in the session of its first sample and behind its last.
    let start: UInt64
    let end: UInt64
    /// Unix µs of its first sample.
    let captureTime: Int64
    /// PCM16, little-endian, mono.
    let pcm: [UInt8]
}
