import CoreMetrics

/// What the transcript worker counts beside the runtime.
package struct TranscriptMetrics: Sendable {
    let corruptFrames = Counter(label: "transcript.frames.corrupt")
    let utterances = Counter(label: "transcript.utterances")
    let rejectedUtterances = Counter(label: "transcript.utterances.rejected")
    /// Utterances whose voices were not compared: a model or the settings were away, or they came later than the text.
    let unlabelled = Counter(label: "transcript.utterances.unlabelled")
    /// From the end of the speech, in capture time, to the commit of its text.
    let finalLatency = Timer(label: "transcript.final.latency.seconds")

    /// Counters of this process.
    package init() {}
}
