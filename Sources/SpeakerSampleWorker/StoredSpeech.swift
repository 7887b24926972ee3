/// What storage has of some speech.
package enum StoredSpeech: Sendable, Equatable {
    /// Nothing of the conversation is stored.
    case nothing
    /// Some of what was asked for is missing or damaged.
    case gap
    /// The audio of each range asked for: mono, 16 kHz.
    case clips([[Int16]])
}
