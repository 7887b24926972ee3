import EarshotModel

/// A back end's connection that was let in, before its first message.
struct AdmittedBackend {
    let user: UserID
    /// What the query asked for, or why that is closed after the upgrade.
    let parameters: Result<BackendParameters, ListenRefusal>
}
