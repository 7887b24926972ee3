/// What a session was opened with, as the registry keeps it for every worker.
package struct SessionParameters: Equatable, Sendable {
    package var codec: AudioCodec
    /// Samples a second of the device's audio.
    package var sampleRate: Int
    package var language: String
    /// Silence after which a conversation is closed, in seconds, already normalised.
    package var conversationTimeout: Int
    package var source: String?
    package var flags: WorkerFlags
    package var clientConversation: ConversationID?

    /// Makes parameters.
    package init(
        codec: AudioCodec, sampleRate: Int, language: String = "en", conversationTimeout: Int = 120,
        source: String? = nil, flags: WorkerFlags = .transcript, clientConversation: ConversationID? = nil
    ) {
        self.codec = codec
        self.sampleRate = sampleRate
        self.language = language
        self.conversationTimeout = conversationTimeout
        self.source = source
        self.flags = flags
        self.clientConversation = clientConversation
    }
}
