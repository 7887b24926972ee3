import AudioStreams
package import EarshotModel
package import SpeechRecognition
package import WorkerRuntime

/// Opens the transcript worker's lanes.
package struct SpeechLaneFactory: LaneProcessorFactory {
    private let recognizers: RecognizerSelection
    private let services: SpeechLane.Services

    /// Makes lanes that share a recogniser.
    ///
    /// - Parameters:
    ///   - recognizer: Hears everything, unless there is a remote one.
    ///   - remote: A remote recogniser, preferred for its languages.
    ///   - voiceActivity: Finds speech.
    ///   - interims: Publishes interim text; without it there is none.
    ///   - labelling: Says who speaks; without it everybody is the first speaker.
    ///   - limits: The product's bounds.
    package init(
        recognizer: any SpeechRecognizer, remote: RemoteSpeech? = nil, voiceActivity: any VoiceActivityModel,
        interims: InterimPublisher?, labelling: SpeakerLabelling? = nil, limits: Limits
    ) {
        recognizers = RecognizerSelection(embedded: recognizer, remote: remote)
        services = SpeechLane.Services(
            recognizer: recognizer, voiceActivity: voiceActivity, interims: interims, labelling: labelling,
            metrics: TranscriptMetrics(), limits: limits)
    }

    /// Speakers keep their numbers from one session of a conversation to the next.
    package var continuesConversations: Bool { services.labelling != nil }

    package func open(_ opening: LaneOpening) throws -> any LaneProcessor {
        guard let session = opening.session else { throw LaneFailure.entry("a transcript needs a session") }
        let language = session.parameters.language
        var services = services
        services.recognizer = recognizers.recognizer(for: language)
        if !recognizers.hasInterims(for: language) { services.interims = nil }
        return try SpeechLane(session, opening: opening, services: services)
    }
}
