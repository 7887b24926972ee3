/// Hears the voices of utterances: turns first, then each voice's embedding.
package struct VoiceAnalysis: Sendable {
    private let turns: any TurnFinder
    /// Whose embeddings are compared.
    package let embedder: any VoiceEmbedder

    /// Makes an analysis out of its two models.
    package init(turns: any TurnFinder, embedder: any VoiceEmbedder) {
        self.turns = turns
        self.embedder = embedder
    }

    /// Returns the voices of an utterance.
    ///
    /// - Parameter utterance: The utterance.
    /// - Returns: At least one voice; without an embedding where too little was said alone.
    /// - Throws: `RecognitionError` of either model.
    package func voices(in utterance: Utterance) async throws(RecognitionError) -> UtteranceVoices {
        let samples = utterance.samples
        let speech = utterance.speech
        var found = SpeakerTurns(oneVoice: samples.count)
        if speech.count >= VoiceLimits.turnSearchMin {
            let told = try await turns.turns(in: samples)
            if told.windows.contains(where: { $0.contains { $0 != 0 } }) { found = told }
        }
        var voices: [HeardVoice] = []
        for (voice, audio) in UtteranceVoices.solos(of: found, in: samples) {
            var voice = voice
            if audio.count >= VoiceLimits.embeddingMin { voice.embedding = try await embedder.embedding(of: audio) }
            // Without turns the audio holds the silence around the speech, too.
            voice.soloCount = min(voice.soloCount, speech.count)
            voices.append(voice)
        }
        return UtteranceVoices(turns: found, voices: voices)
    }
}
