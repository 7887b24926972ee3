internal import CLibOpus

/// What is known about libopus itself: its version, its rates, its frame lengths and its error codes.
package enum OpusLibrary {
    /// The sample rates libopus decodes to and encodes from, in Hz.
    package static let sampleRates = [8_000, 12_000, 16_000, 24_000, 48_000]

    /// The version string of the library that is linked, for a log line at start.
    package static var version: String {
        unsafe String(cString: opus_get_version_string())
    }

    /// The longest audio one packet may hold, in milliseconds (RFC 6716, section 3.2.5).
    static let packetMillisecondsMax = 120

    /// The sample counts an encoder takes for one packet: 2.5, 5, 10, 20, 40, 60, 80, 100 and 120 ms.
    package static func frameLengths(sampleRate: Int) -> [Int] {
        [1, 2, 4, 8, 16, 24, 32, 40, 48].map { sampleRate * $0 / 400 }
    }

    static func check(sampleRate: Int) throws(AudioCodecError) {
        guard sampleRates.contains(sampleRate) else {
            let allowed = sampleRates.map(String.init).joined(separator: ", ")
            throw AudioCodecError(
                .invalidArgument, "Opus does not run at \(sampleRate) Hz; allowed are \(allowed) Hz")
        }
    }

    /// Converts a negative libopus result; `action` completes "libopus could not …".
    static func error(_ status: Int32, action: String) -> AudioCodecError {
        let code: AudioCodecError.Code =
            switch status {
            case OPUS_INVALID_PACKET, OPUS_BUFFER_TOO_SMALL: .corruptPacket
            case OPUS_BAD_ARG: .invalidArgument
            default: .libraryFailure
            }
        let reason = unsafe String(cString: opus_strerror(status))
        return AudioCodecError(code, "libopus could not \(action): \(reason) (\(status))")
    }
}
