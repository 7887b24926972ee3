package import AudioStorage
package import EarshotModel

/// What all lanes of the private-cloud worker share.
package struct StorageServices: Sendable {
    let parts: PartStore
    let settings: @Sendable (UserID, Partition) async throws -> UserSettings
    let format: StoredAudioPart.Format
    let partSeconds: Int
    let metrics = StorageMetrics()

    /// Lengths a part may have: shorter is all overhead, longer does not fit into one entry of any store's habits.
    package static let partSecondsAllowed = 1...3_600

    /// Puts the services together.
    ///
    /// - Parameters:
    ///   - parts: where parts go.
    ///   - settings: a user's settings; what it throws means that the lane waits.
    ///   - format: of all new parts.
    ///   - partSeconds: after so much audio, or so much time, a part is stored.
    package init(
        parts: PartStore, settings: @escaping @Sendable (UserID, Partition) async throws -> UserSettings,
        format: StoredAudioPart.Format = .ogg, partSeconds: Int = 60
    ) {
        self.parts = parts
        self.settings = settings
        self.format = format
        self.partSeconds = partSeconds
    }

    /// How old a part gets before it is stored as short as it is.
    ///
    /// A lane looks once a heartbeat, so that a stream without pauses has mostly filled its part by then.
    var partAge: Duration { .seconds(partSeconds) }
}
