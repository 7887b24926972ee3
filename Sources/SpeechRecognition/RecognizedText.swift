/// What a recogniser understood, and which engine that was.
package struct RecognizedText: Sendable, Equatable {
    /// The text, with case and punctuation; empty if nothing was understood.
    package let text: String
    /// The engine's name, as it stands in a segment's `stt_provider`.
    package let provider: String

    /// Names text and engine.
    package init(text: String, provider: String) {
        self.text = text
        self.provider = provider
    }
}
