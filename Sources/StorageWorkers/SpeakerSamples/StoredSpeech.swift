/// What storage has of some speech.
package enum StoredSpeech: Sendable, Equatable {
    /// Nothing of the conversation is stored.
    case nothing
    /// The record names an object that is not there.
    case vanished
    /// Some of what was asked for is missing or damaged.
    case gap
    /// Some is missing because storage has not come so far.
    case behind
    /// The store does not answer; the reason.
    case away(String)
    /// The audio of each stretch asked for: mono, 16 kHz.
    case clips([[Int16]])
}
