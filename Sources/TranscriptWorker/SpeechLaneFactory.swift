package import EarshotModel
package import SpeechRecognition
package import WorkerRuntime

/// Opens the transcript worker's lanes.
package struct SpeechLaneFactory: LaneProcessorFactory {
    private let services: SpeechLane.Services

    /// Makes lanes that share a recogniser; without a publisher of interims there is no interim text, without labelling
    /// everybody is the first speaker.
    package init(
        recognizer: any SpeechRecognizer, voiceActivity: any VoiceActivityModel, interims: InterimPublisher?,
        labelling: SpeakerLabelling? = nil, limits: Limits
    ) {
        services = SpeechLane.Services(
            recognizer: recognizer, voiceActivity: voiceActivity, interims: interims, labelling: labelling,
            metrics: TranscriptMetrics(), limits: limits)
    }

    package func open(_ opening: LaneOpening) throws -> any LaneProcessor {
        guard let session = opening.session else { throw LaneFailure.entry("a transcript needs a session") }
        return try SpeechLane(session: session, partition: opening.partition, services: services)
    }
}
