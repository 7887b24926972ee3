package import EarshotModel

/// What a worker knows of its users' settings; `SettingsSubscription` keeps it true.
package struct UserSettingsCache: Sendable {
    private let handOff: any HandOff
    private let known: UserCache<UserSettings>

    /// An empty cache.
    package init(handOff: any HandOff, limits: Limits) {
        self.handOff = handOff
        known = UserCache(age: limits.settingsCacheAge, maximum: limits.settingsCacheMaximum)
    }

    /// A user's settings; the defaults for a user without any.
    package func settings(of user: UserID, in partition: Partition) async throws(HandOffError) -> UserSettings {
        try await known.value(of: user) { () async throws(HandOffError) in
            try await handOff.settings(of: user, in: partition)
        }
    }

    /// Forgets a user, whose settings have changed; everybody when announcements may have been missed.
    package func forget(_ user: UserID?) { known.forget(user) }
}
