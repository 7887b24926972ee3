package import EarshotModel
import Synchronization

/// Settings in memory, for tests of roles.
package final class InMemorySettingsStore: SettingsStore {
    private struct Entry {
        var settings = UserSettings()
        var projected: Int64 = 0
    }

    private struct State {
        var isAvailable = true
        var revision: Int64 = 0
        var entries: [UserID: Entry] = [:]
    }

    private let state = Mutex(State())

    /// A store without users.
    package init() {}

    /// Makes every operation fail as if the database were away, or work again.
    package func setAvailable(_ isAvailable: Bool) { state.withLock { $0.isAvailable = isAvailable } }

    private func perform<Value: Sendable>(
        _ body: (inout State) -> Value
    ) throws(SessionRecordError) -> Value {
        try state.withLock { state throws(SessionRecordError) in
            guard state.isAvailable else { throw SessionRecordError(.unavailable, "switched off") }
            return body(&state)
        }
    }

    package func settings(of user: UserID) async throws(SessionRecordError) -> UserSettings {
        try perform { $0.entries[user]?.settings ?? UserSettings() }
    }

    package func change(
        _ user: UserID, isStorageOn: Bool?, protection: UserSettings.Protection?
    ) async throws(SessionRecordError) {
        try perform { state in
            var entry = state.entries[user] ?? Entry()
            if let isStorageOn { entry.settings.isStorageOn = isStorageOn }
            if let protection { entry.settings.protection = protection }
            state.revision += 1
            entry.settings.revision = state.revision
            state.entries[user] = entry
        }
    }

    package func pending(limit: Int) async throws(SessionRecordError) -> [ProjectedSettings] {
        try perform { state in
            let pending = state.entries.filter { $0.value.projected < $0.value.settings.revision }
            return Array(
                pending.sorted { $0.value.settings.revision < $1.value.settings.revision }.prefix(limit)
                    .map { ProjectedSettings(user: $0.key, settings: $0.value.settings) })
        }
    }

    package func all(after user: UserID?, limit: Int) async throws(SessionRecordError) -> [ProjectedSettings] {
        try perform { state in
            let behind = state.entries.filter { user == nil || $0.key.text > (user?.text ?? "") }
            return Array(
                behind.sorted { $0.key.text < $1.key.text }.prefix(limit)
                    .map { ProjectedSettings(user: $0.key, settings: $0.value.settings) })
        }
    }

    package func markProjected(_ settings: [ProjectedSettings]) async throws(SessionRecordError) {
        try perform { state in
            for one in settings {
                let known = state.entries[one.user]?.projected ?? 0
                state.entries[one.user]?.projected = max(known, one.settings.revision)
            }
        }
    }
}
