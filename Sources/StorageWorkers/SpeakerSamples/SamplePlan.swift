import EarshotModel
import SessionRecord

/// Which speech a sample is made of: decisions only.
struct SamplePlan: Equatable {
    /// In the order of time.
    private(set) var clips: [SampleClip] = []
    /// Whether the clips are whole segments, so that they hold all of their words.
    private(set) var isWhole = true

    /// The clips' segments, in the order of time.
    var segments: [PlacedSegment] {
        clips.reduce(into: []) { if $0.last != $1.segment { $0.append($1.segment) } }
    }

    /// Chooses 10 to 30 s of one speaker's clean speech, in clips of 1 to 10 s.
    ///
    /// The segments that were assigned come first; when they are too short, others of the same speaker join them, of
    /// the same session, or of the conversation where a back end transcribed it. Whatever overlaps with another speaker
    /// is left out. Longest first, and whole segments, so that their words can be compared; what is too long for that
    /// gives clips from its middle.
    ///
    /// - Throws: The outcome when there is no such speech.
    init(_ request: SpeakerSampleRequest, _ conversation: [PlacedSegment], _ limits: SampleLimits) throws(SampleRefusal)
    {
        let wanted = Set(request.segments)
        let assigned = conversation.filter { wanted.contains($0.segment.id) }
        guard !assigned.isEmpty else { throw SampleRefusal(.noAuthorizedSegments) }
        let speakers = Set(assigned.map(Speaker.init))
        let others = conversation.filter { !wanted.contains($0.segment.id) }
        let strangers = others.filter { !speakers.contains(Speaker($0)) }
        let isClean = { (segment: PlacedSegment) in
            !strangers.contains { Self.overlap($0, segment) > limits.overlapMaximum }
        }
        let clean = assigned.filter(isClean)
        guard !clean.isEmpty else { throw SampleRefusal(.contaminated) }
        let more = others.filter { speakers.contains(Speaker($0)) && isClean($0) }
        for candidates in [clean, more] where seconds < limits.speech.lowerBound {
            takeWhole(candidates, limits)
            takeMiddles(candidates, limits)
        }
        guard seconds >= limits.speech.lowerBound else { throw SampleRefusal(.insufficientSpeech) }
        clips.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    }

    private struct Speaker: Hashable {
        let session: String
        let number: Int

        init(_ segment: PlacedSegment) {
            session = segment.isBackend ? "" : segment.session
            number = segment.segment.speakerID
        }
    }

    /// Seconds of speech so far.
    private var seconds: Double { clips.reduce(0) { $0 + $1.seconds } }

    private mutating func takeWhole(_ candidates: [PlacedSegment], _ limits: SampleLimits) {
        for segment in Self.longest(candidates, limits) {
            let pieces = Self.pieces(segment, limits)
            guard seconds + Self.length(segment) <= limits.speech.upperBound,
                clips.count + pieces.count <= limits.clipsMaximum
            else { continue }
            clips += pieces
        }
    }

    /// Takes clips from the middle of segments that are too long to be taken whole, while there is too little.
    private mutating func takeMiddles(_ candidates: [PlacedSegment], _ limits: SampleLimits) {
        for segment in Self.longest(candidates, limits) where seconds < limits.speech.lowerBound {
            let pieces = Self.pieces(segment, limits)
            guard let length = pieces.first?.seconds, !clips.contains(where: { $0.segment == segment }) else {
                continue
            }
            let room = Int((limits.speech.upperBound - seconds) / length)
            let count = min(pieces.count, room, limits.clipsMaximum - clips.count)
            guard count > 0 else { continue }
            clips += pieces[((pieces.count - count) / 2)...].prefix(count)
            isWhole = isWhole && count == pieces.count
        }
    }

    private static func longest(_ candidates: [PlacedSegment], _ limits: SampleLimits) -> some Sequence<PlacedSegment> {
        candidates.sorted { length($0) > length($1) }.prefix(limits.candidatesMaximum)
            .filter { length($0) >= limits.clip.lowerBound }
    }

    /// A segment in clips of equal length, none over the limit.
    static func pieces(_ segment: PlacedSegment, _ limits: SampleLimits) -> [SampleClip] {
        let count = Int((length(segment) / limits.clip.upperBound).rounded(.up))
        let start = segment.segment.start
        return (0..<count).map { index in
            SampleClip(
                segment: segment, start: start + length(segment) * Double(index) / Double(count),
                end: start + length(segment) * Double(index + 1) / Double(count))
        }
    }

    private static func length(_ segment: PlacedSegment) -> Double { segment.segment.end - segment.segment.start }

    private static func overlap(_ left: PlacedSegment, _ right: PlacedSegment) -> Double {
        min(left.segment.end, right.segment.end) - max(left.segment.start, right.segment.start)
    }
}
