import AudioStorage
import WorkerRuntime

/// Encodes a part beside other work: a minute of PCM takes libopus a third of a second.
struct PartEncoding {
    private let specification: PartSpecification

    // About a second of 20 ms frames, some milliseconds of work.
    private static let framesAtOnce = 50

    init(_ specification: PartSpecification) { self.specification = specification }

    /// Encodes the frames; other tasks get their turn in between.
    ///
    /// - Throws: `LaneFailure.dependency`, since audio is never given up for what a codec says.
    func encode(_ frames: [PartFrame]) async throws -> EncodedPart {
        do {
            let encoder = try PartEncoder(specification)
            for (index, frame) in frames.enumerated() {
                try encoder.append(frame)
                if index % Self.framesAtOnce == Self.framesAtOnce - 1 { await Task.yield() }
            }
            return try encoder.finish()
        } catch {
            throw LaneFailure.dependency(name: "audio codec", reason: "\(error)")
        }
    }
}
