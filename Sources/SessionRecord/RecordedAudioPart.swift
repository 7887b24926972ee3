package import EarshotModel

/// A stored part as the record shows it.
package struct RecordedAudioPart: Equatable, Sendable {
    package var session: String
    package var conversation: String
    package var uid: String
    package var audio: StoredAudioPart
}
