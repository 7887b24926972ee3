import Subprocess

/// A process that a supervisor keeps alive.
struct ChildSpecification: Sendable {
    /// Where the child's output goes.
    enum Output: Sendable, Equatable {
        /// Standard output is read for announcements, standard error is the supervisor's own.
        case announcements
        /// Both are appended to a file.
        case file(String)
    }

    /// The kind of process, such as `gateway`.
    var role: String
    /// Its name among its kind, such as `gateway-0`.
    var node: String
    var executable: String
    var arguments: [String] = []
    /// Variables added to the supervisor's own environment; nil removes one.
    var environment: [String: String?] = [:]
    var workingDirectory: String?
    var output = Output.announcements
    /// What makes it stop in good order.
    var stopSignal = Signal.terminate
}
