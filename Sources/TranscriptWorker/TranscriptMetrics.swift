import CoreMetrics

/// What the transcript worker counts beside the runtime.
package struct TranscriptMetrics: Sendable {
    let corruptFrames = Counter(label: "transcript.frames.corrupt")
    let utterances = Counter(label: "transcript.utterances")
    let rejectedUtterances = Counter(label: "transcript.utterances.rejected")
    /// From the end of the speech, in capture time, to the commit of its text.
    let finalLatency = Timer(label: "transcript.final.latency.seconds")

    /// Counters of this process.
    package init() {}
}
