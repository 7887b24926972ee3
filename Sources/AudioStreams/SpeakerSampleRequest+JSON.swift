package import EarshotModel

extension SpeakerSampleRequest {
    /// The request as it stands in the stream: a JSON object on one line.
    package var json: String { HandOffCommands.json(self) }
}
