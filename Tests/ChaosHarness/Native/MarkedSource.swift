import EarshotClient
import NIOCore

/// A native device's messages at a speed: a recording, begun again as often as it takes.
struct MarkedSource: UploadSource {
    let recording: NativeRecording
    let device: Int
    /// Number of the upload among the device's.
    let upload: Int
    /// Messages that are sent; nil for the recording once.
    var limit: Int?
    /// 1 is real time.
    var speed = 1.0
    /// Looked at before each message: ends the audio earlier.
    var isOver: @Sendable () -> Bool = { false }

    /// The message of a number.
    func packet(_ number: UInt64) -> [UInt8] {
        recording.packet(PacketMark(device: UInt32(device), upload: UInt32(upload), number: number))
    }

    @concurrent
    func deliver(to take: @Sendable (UploadFrame) async throws -> Void) async throws {
        let started = ContinuousClock.now
        let limit = limit ?? recording.count
        for number in 0..<limit {
            guard !isOver() else { return }
            let due = started + recording.packetDuration * (Double(number + 1) / speed)
            if due > .now { try await ContinuousClock().sleep(until: due) }
            try await take(
                UploadFrame(
                    payload: ByteBuffer(bytes: packet(UInt64(number))), duration: recording.packetDuration))
        }
    }
}
