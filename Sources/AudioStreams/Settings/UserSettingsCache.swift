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
        /// Users that are being asked about, and who waits for the answer: a user's lanes, a few.
        var asked: [UserID: [CheckedContinuation<Void, Never>]] = [:]
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

    private enum Step {
        case known(UserSettings)
        case ask(generation: UInt64)
        case wait
    }

    /// A user's settings; the defaults for a user without any.
    ///
    /// One look-up of a user is under way at a time; whoever else wants it waits for its answer.
    package func settings(of user: UserID, in partition: Partition) async throws(HandOffError) -> UserSettings {
        while true {
            switch step(user) {
            case .known(let settings): return settings
            case .ask(let generation): return try await ask(user, in: partition, generation)
            case .wait: await answer(of: user)
            }
        }
    }

    private func step(_ user: UserID) -> Step {
        state.withLock { state in
            if let known = state.entries[user], ContinuousClock.now - known.readAt < limits.settingsCacheAge {
                return .known(known.settings)
            }
            guard state.asked[user] == nil else { return .wait }
            state.asked[user] = []
            return .ask(generation: state.generation)
        }
    }

    private func ask(
        _ user: UserID, in partition: Partition, _ generation: UInt64
    ) async throws(HandOffError) -> UserSettings {
        defer {
            for waiter in state.withLock({ $0.asked.removeValue(forKey: user) }) ?? [] { waiter.resume() }
        }
        let settings = try await handOff.settings(of: user, in: partition)
        state.withLock { state in
            guard state.generation == generation else { return }
            // Starting over now and then costs one look-up a user; keeping count of the oldest would cost more.
            if state.entries.count >= limits.settingsCacheMaximum { state.entries = [:] }
            state.entries[user] = Entry(settings: settings, readAt: .now)
        }
        return settings
    }

    /// Waits until the look-up that is under way has ended, as it does within a command's time-out.
    private func answer(of user: UserID) async {
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state in
                guard state.asked[user] != nil else { return true }
                state.asked[user]?.append(waiter)
                return false
            }
            if isOver { waiter.resume() }
        }
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
