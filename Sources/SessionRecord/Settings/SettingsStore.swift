package import EarshotModel

/// Users' settings as they are kept for good, and which of them have to be projected.
package protocol SettingsStore: Sendable {
    /// A user's settings, the defaults for a user nobody has set anything for.
    func settings(of user: UserID) async throws(SessionRecordError) -> UserSettings
    /// Sets what is given and leaves the rest.
    func change(_ user: UserID, isStorageOn: Bool?, protection: UserSettings.Protection?)
        async throws(SessionRecordError)
    /// Users whose settings have changed since they were projected, with the settings, at most `limit`.
    func pending(limit: Int) async throws(SessionRecordError) -> [ProjectedSettings]
    /// All users with settings behind one in the order of their ids, at most `limit`, for a projection from scratch.
    func all(after user: UserID?, limit: Int) async throws(SessionRecordError) -> [ProjectedSettings]
    /// Notes that settings of these revisions have been projected.
    func markProjected(_ settings: [ProjectedSettings]) async throws(SessionRecordError)
}
