/// What gateways and workers need to know of a user, as the coordinator projects it from Postgres into `{p}:settings`.
///
/// A user without an entry has the defaults.
package struct UserSettings: Codable, Equatable, Sendable {
    /// How a user's stored audio is protected.
    package enum Protection: String, Codable, Sendable, CaseIterable {
        /// As the store protects it.
        case standard
        /// Encrypted with a key derived for the user.
        case enhanced
    }

    /// Grows with every change; an older projection never overwrites a newer one.
    package var revision: Int64
    /// Whether the user's audio is stored.
    package var isStorageOn: Bool
    package var protection: Protection
    /// Where live audio goes.
    package var audioEndpoints: [AudioEndpoint]
    /// Voices the user's segments are compared with.
    package var voices: [KnownVoice]

    /// Settings, the defaults unless said otherwise.
    package init(
        revision: Int64 = 0, isStorageOn: Bool = false, protection: Protection = .standard,
        audioEndpoints: [AudioEndpoint] = [], voices: [KnownVoice] = []
    ) {
        self.revision = revision
        self.isStorageOn = isStorageOn
        self.protection = protection
        self.audioEndpoints = audioEndpoints
        self.voices = voices
    }

    /// The groups that want the user's audio beside those every session has.
    package var flags: WorkerFlags {
        var flags: WorkerFlags = []
        if isStorageOn { flags.insert(.privateCloud) }
        if !audioEndpoints.isEmpty { flags.insert(.audioBytes) }
        return flags
    }

    private enum CodingKeys: String, CodingKey {
        case revision
        case isStorageOn = "storage"
        case protection
        case audioEndpoints = "audio_endpoints"
        case voices
    }
}
