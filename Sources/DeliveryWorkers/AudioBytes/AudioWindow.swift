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

    /// Samples of a window: the seconds asked for, or an equal part of them when they are more than a body may have.
    ///
    /// Receivers of Omi's audio get pieces of any length; none of them is cut in the middle of a sample.
    static func samples(seconds: Int, sampleRate: Int, bodyBytesMaximum: Int) -> UInt64 {
        let whole = UInt64(max(1, seconds)) * UInt64(max(1, sampleRate))
        let most = UInt64(max(1, bodyBytesMaximum / MemoryLayout<Int16>.size))
        let parts = (whole + most - 1) / most
        return (whole + parts - 1) / parts
    }
}
