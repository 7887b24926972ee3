package import AudioCodecs
import NIOCore

/// The packets of an Ogg Opus file as they are, at their pace or another.
package struct OggOpusSource: UploadSource {
    private let file: OggOpusFile
    private let speed: Double

    /// Plays a file; send it with the codec `opus` at 48 kHz, or at another rate of Opus.
    ///
    /// - Parameters:
    ///   - file: Its packets are sent, of one logical stream after the other.
    ///   - speed: 1 is real time, 0 as fast as it is taken.
    package init(_ file: OggOpusFile, speed: Double) {
        self.file = file
        self.speed = speed
    }

    /// Gives each packet when the last of its audio would have been recorded.
    @concurrent
    package func deliver(to take: @Sendable (UploadFrame) async throws -> Void) async throws {
        let started = ContinuousClock.now
        var samples = 0
        for packet in file.links.lazy.flatMap(\.packets) {
            let length = OpusPacketLength.samples(of: packet) ?? 0
            samples += length
            if speed > 0 {
                let due = started + .seconds(Double(samples) / 48_000 / speed)
                if due > .now { try await ContinuousClock().sleep(until: due) }
            }
            try await take(
                UploadFrame(payload: ByteBuffer(bytes: packet), duration: .microseconds(length * 1_000 / 48)))
        }
    }
}
