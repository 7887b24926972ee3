/// A session in the registry.
struct StoredSession: Hashable, Sendable {
    /// One group's progress.
    struct Progress: Hashable, Sendable {
        var next = 0
        var ordinal = 0
        var isDone = false
    }

    let id: Int
    let device: Int
    let epoch: Token
    let gateway: ProcessStart
    let conversation: Int
    /// The number of the first frame that the device still had.
    let first: Int
    /// The session that this one continues (H9).
    let predecessor: Int?
    /// Frames acknowledged, as its gateway noted them.
    var last: Int
    /// Where its end marker stands.
    var end: Int?
    var progress = [Progress](repeating: Progress(), count: Group.allCases.count)
    var isCompleted = false
    /// Of the checks only: behind the last frame that stood in the stream before the end.
    var appended: Int
}
