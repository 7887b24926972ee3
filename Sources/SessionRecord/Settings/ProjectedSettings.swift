package import EarshotModel

/// A user's settings on their way into Redis.
package struct ProjectedSettings: Equatable, Sendable {
    package var user: UserID
    package var settings: UserSettings

    /// Makes a value.
    package init(user: UserID, settings: UserSettings) {
        self.user = user
        self.settings = settings
    }
}
