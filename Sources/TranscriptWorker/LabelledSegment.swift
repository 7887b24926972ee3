import EarshotModel

/// A segment, and who speaks it.
struct LabelledSegment {
    let segment: TranscriptSegment
    let label: SpeakerLabel
}
