import EarshotModel

/// A connection that was let in, before its session begins.
struct AdmittedListen {
    let path: ListenPath
    /// The user, where the token came with the upgrade.
    let user: UserID?
    /// What the query asked for, or why that is closed after the upgrade.
    let parameters: Result<ListenParameters, ListenRefusal>
}
