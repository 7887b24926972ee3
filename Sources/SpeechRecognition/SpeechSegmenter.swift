/// Cuts a stream of samples into utterances, from one restart point to the next.
///
/// It is spent after its first outcome. The caller then discards it, with the decoder and the resampler before it, and
/// begins anew at the greatest packet boundary that is not after the outcome's restart point. Normal running and a
/// take-over thus compute the same from the same point on, and hear the same words. What it decides depends on the
/// samples alone, never on how they were divided into calls.
///
/// It keeps an open utterance, at most 30 s (1.9 MB), and less than 1 s otherwise.
package struct SpeechSegmenter: Sendable {
    /// What a segmenter came to.
    package enum Outcome: Sendable, Equatable {
        /// Somebody spoke.
        case utterance(Utterance, restart: Int)
        /// Nobody spoke, for long enough that the position should be recorded.
        case quiet(restart: Int)
    }

    private let policy: SegmentationPolicy
    private var stream: any VoiceActivityStream
    private var open: OpenUtterance?
    private var isSpent = false
    /// The samples from `bufferStart` to `position`.
    private var buffer: [Float] = []
    private var bufferStart = 0
    /// Every window before this position was judged.
    private var judged = 0

    /// Creates a segmenter that has heard nothing.
    package init(_ model: any VoiceActivityModel, policy: SegmentationPolicy = .standard) {
        self.policy = policy
        stream = model.makeStream()
    }

    /// How many samples were taken.
    package var position: Int { bufferStart + buffer.count }

    /// The audio so far of an utterance that is being spoken; nil in silence and until enough was said to be sure.
    package var openUtterance: ArraySlice<Float>? {
        guard let open, open.speechCount >= policy.speechMin else { return nil }
        return samples(open.start..<judged)
    }

    /// Takes samples up to the first outcome.
    ///
    /// Samples after the outcome are not taken; the caller feeds them, from the restart point on, to a new segmenter.
    /// Values outside -1…1 are clamped, values that are no numbers become 0.
    /// - Throws: `RecognitionError` with `unavailable` when the voice activity model fails; the segmenter is spent
    ///   then.
    package mutating func feed(_ samples: ArraySlice<Float>) throws(RecognitionError) -> Outcome? {
        precondition(!isSpent, "a segmenter is used after its outcome")
        var rest = samples
        while !rest.isEmpty {
            let piece = rest.prefix(judged + SegmentationPolicy.windowCount - position)
            rest = rest.dropFirst(piece.count)
            append(piece)
            guard position == judged + SegmentationPolicy.windowCount else { continue }
            if let outcome = try judge() {
                isSpent = true
                return outcome
            }
        }
        return nil
    }

    /// Ends the stream; what is being said becomes the last utterance.
    ///
    /// - Throws: `RecognitionError` with `unavailable` when the voice activity model fails.
    package mutating func finish() throws(RecognitionError) -> Utterance? {
        precondition(!isSpent, "a segmenter is used after its outcome")
        isSpent = true
        let end = position
        if end > judged {
            buffer += [Float](repeating: 0, count: judged + SegmentationPolicy.windowCount - end)
            try hear()
        }
        guard let open, open.speechCount >= policy.speechMin else { return nil }
        let speechEnd = min(open.silenceStart ?? end, end)
        return utterance(open, speechEnd: speechEnd, end: min(speechEnd + policy.leadOut, end))
    }

    /// Ends the segmenter now, between two words if it can: for a hand-over, or when memory is short.
    ///
    /// An open utterance of 3 s or more is cut at the quietest place of its later half. A shorter one is left to
    /// whoever goes on from the restart point, which then lies before it (at 0, if it began there).
    package mutating func cut() -> (utterance: Utterance?, restart: Int) {
        precondition(!isSpent, "a segmenter is used after its outcome")
        isSpent = true
        guard let open else { return (nil, aligned(judged - policy.restartMargin)) }
        let length = judged - open.firstSpeech
        guard length >= policy.cutMin, open.speechCount >= policy.speechMin else { return (nil, aligned(open.start)) }
        let place = aligned(open.quietestPlace(since: judged - length / 2))
        return (utterance(open, speechEnd: min(open.silenceStart ?? place, place), end: place), place)
    }

    private mutating func append(_ piece: ArraySlice<Float>) {
        let first = buffer.count
        buffer += piece
        for index in first..<buffer.count where !(abs(buffer[index]) <= 1) {
            buffer[index] = buffer[index].isFinite ? max(-1, min(buffer[index], 1)) : 0
        }
    }

    // Judges the next window, which is complete, and decides.
    private mutating func judge() throws(RecognitionError) -> Outcome? {
        do throws(RecognitionError) {
            try hear()
        } catch {
            isSpent = true
            throw error
        }
        if let open {
            if let silenceStart = open.silenceStart, judged - silenceStart >= policy.closingSilence {
                if open.speechCount >= policy.speechMin {
                    let end = min(silenceStart + policy.leadOut, judged)
                    return .utterance(
                        utterance(open, speechEnd: silenceStart, end: end),
                        restart: aligned(judged - policy.restartMargin))
                }
                self.open = nil
            } else if judged + SegmentationPolicy.windowCount - open.start > policy.utteranceMax {
                return forcedCut(open)
            }
        }
        guard open == nil else { return nil }
        if judged >= policy.quietInterval { return .quiet(restart: aligned(judged - policy.restartMargin)) }
        forget()
        return nil
    }

    private mutating func hear() throws(RecognitionError) {
        let window = samples(judged..<judged + SegmentationPolicy.windowCount)
        let probability = try stream.probability(of: window)
        if open == nil, probability >= policy.speechThreshold {
            open = OpenUtterance(start: max(judged - policy.leadIn, 0), firstSpeech: judged)
        }
        if probability >= policy.speechThreshold {
            open?.silenceStart = nil
        } else if probability < policy.silenceThreshold, open?.silenceStart == nil {
            open?.silenceStart = judged
        }
        open?.append(window)
        judged += SegmentationPolicy.windowCount
    }

    // The place lies seconds after the segmenter's start, so the stream always gets on.
    private func forcedCut(_ open: OpenUtterance) -> Outcome {
        let place = aligned(open.quietestPlace(since: judged - policy.cutSearch))
        guard open.speechCount >= policy.speechMin else { return .quiet(restart: place) }
        return .utterance(
            utterance(open, speechEnd: min(open.silenceStart ?? place, place), end: place), restart: place)
    }

    // In silence only the next utterance's lead-in is needed; shifting the buffer at every window would cost more.
    private mutating func forget() {
        let excess = buffer.count - policy.leadIn
        guard excess >= policy.leadIn else { return }
        buffer.removeFirst(excess)
        bufferStart += excess
    }

    private func utterance(_ open: OpenUtterance, speechEnd: Int, end: Int) -> Utterance {
        Utterance(
            samples: Array(samples(open.start..<end)), start: open.start, end: end,
            speech: open.firstSpeech..<max(speechEnd, open.firstSpeech))
    }

    private func samples(_ range: Range<Int>) -> ArraySlice<Float> {
        buffer[range.lowerBound - bufferStart..<range.upperBound - bufferStart]
    }

    private func aligned(_ position: Int) -> Int {
        max(position, 0) / policy.restartGrain * policy.restartGrain
    }
}
