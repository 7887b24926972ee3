package import EarshotModel
import Synchronization

/// What a worker knows of its users' settings: asked for once, kept until a change is announced, or until they are old.
package final class UserSettingsCache: Sendable {
    private struct Entry {
        let settings: UserSettings
        let readAt: ContinuousClock.Instant
    }

    private struct State {
        var entries: [UserID: Entry] = [:]
        /// Grows with every announcement: what was read before it may be old already.
        var generation: UInt64 = 0
    }

    private let handOff: any HandOff
    private let limits: Limits
    private let state = Mutex(State())

    /// An empty cache; `SettingsSubscription` keeps it true.
    package init(handOff: any HandOff, limits: Limits) {
        self.handOff = handOff
        self.limits = limits
    }

    /// A user's settings; the defaults for a user without any.
    package func settings(of user: UserID, in partition: Partition) async throws(HandOffError) -> UserSettings {
        let (known, generation) = state.withLock { ($0.entries[user], $0.generation) }
        if let known, ContinuousClock.now - known.readAt < limits.settingsCacheAge { return known.settings }
        let settings = try await handOff.settings(of: user, in: partition)
        state.withLock { state in
            guard state.generation == generation else { return }
            // Starting over now and then costs one look-up a user; keeping count of the oldest would cost more.
            if state.entries.count >= limits.settingsCacheMaximum { state.entries = [:] }
            state.entries[user] = Entry(settings: settings, readAt: .now)
        }
        return settings
    }

    /// A user's settings have changed.
    package func forget(_ user: UserID) {
        state.withLock { state in
            state.generation += 1
            state.entries[user] = nil
        }
    }

    /// Announcements may have been missed.
    package func forgetAll() {
        state.withLock { state in
            state.generation += 1
            state.entries = [:]
        }
    }
}
