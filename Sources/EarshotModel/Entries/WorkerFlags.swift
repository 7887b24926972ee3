/// The groups that want a session's audio, one bit each, in every entry's header; and what else the device asked of
/// the workers.
package struct WorkerFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    /// Makes flags from the header's byte; unknown bits are kept.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The transcript worker.
    package static let transcript = WorkerFlags(rawValue: 1)
    /// The audio-bytes worker.
    package static let audioBytes = WorkerFlags(rawValue: 2)
    /// The private-cloud worker.
    package static let privateCloud = WorkerFlags(rawValue: 4)
    /// The device numbers its messages and sends again what is not acknowledged (`/v1/stream`); no group's bit.
    package static let numbered = WorkerFlags(rawValue: 64)
    /// The device wants suggestions of speakers with the person's id (`speaker_auto_assign`); no group's bit.
    package static let speakerAutoAssign = WorkerFlags(rawValue: 128)
}
