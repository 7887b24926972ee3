import EarshotModel
import SessionRecord

/// Which speech a sample is made of: decisions only.
struct SamplePlan: Equatable {
    /// The segments, in the order of time.
    private(set) var segments: [PlacedSegment] = []

    /// The clips of a segment: pieces of equal length, none over the limit.
    static func clipCount(_ segment: PlacedSegment, _ limits: SampleLimits) -> Int {
        Int((length(segment) / limits.clip.upperBound).rounded(.up))
    }

    /// Chooses 10 to 30 s of one speaker's clean speech.
    ///
    /// The segments that were assigned come first; when they are too short, others of the same speaker of the same
    /// session join them. Whatever overlaps with another speaker is left out. Longest first, whole segments only, so
    /// that their words can be compared.
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
        take(clean, limits)
        if total < limits.speech.lowerBound {
            take(others.filter { speakers.contains(Speaker($0)) && isClean($0) }, limits)
        }
        guard total >= limits.speech.lowerBound else { throw SampleRefusal(.insufficientSpeech) }
        segments.sort { $0.segment.start < $1.segment.start }
    }

    private struct Speaker: Hashable {
        let session: String
        let number: Int

        init(_ segment: PlacedSegment) {
            session = segment.session
            number = segment.segment.speakerID
        }
    }

    private var total: Double { segments.reduce(0) { $0 + Self.length($1) } }

    private mutating func take(_ candidates: [PlacedSegment], _ limits: SampleLimits) {
        var clips = segments.reduce(0) { $0 + Self.clipCount($1, limits) }
        let longest = candidates.sorted { Self.length($0) > Self.length($1) }.prefix(limits.candidatesMaximum)
        for segment in longest where Self.length(segment) >= limits.clip.lowerBound {
            let count = Self.clipCount(segment, limits)
            guard total + Self.length(segment) <= limits.speech.upperBound, clips + count <= limits.clipsMaximum
            else { continue }
            segments.append(segment)
            clips += count
        }
    }

    private static func length(_ segment: PlacedSegment) -> Double { segment.segment.end - segment.segment.start }

    private static func overlap(_ left: PlacedSegment, _ right: PlacedSegment) -> Double {
        min(left.segment.end, right.segment.end) - max(left.segment.start, right.segment.start)
    }
}
