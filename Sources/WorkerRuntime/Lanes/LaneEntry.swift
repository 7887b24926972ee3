package import AudioStreams
package import EarshotModel

/// An entry on its way to a lane, with what the runtime needs to know of it.
package struct LaneEntry: Sendable {
    package let entry: StreamEntry
    package let lane: LaneKey
    /// Number of the first frame the lane has not had; frames before it are cut off by the runtime.
    package var firstSequence: UInt64
    /// The number behind the last frame; the largest number for an end marker.
    package let nextSequence: UInt64
    /// The decoded batch or marker of an audio stream.
    package let audio: AudioEntry?

    /// Frames of the batch from `firstSequence` on.
    package var frames: ArraySlice<AudioFrame> {
        guard let audio else { return [] }
        let all = audio.frames
        let skipped = min(UInt64(all.count), firstSequence - audio.firstSequence)
        return all.enumerated().map { AudioFrame(sequence: audio.firstSequence + UInt64($0.offset), bytes: $0.element) }
            .dropFirst(Int(skipped))
    }

    /// Whether it is the session's end.
    package var isMarker: Bool { nextSequence == .max }
}
