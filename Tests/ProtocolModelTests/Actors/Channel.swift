/// A process's connection: what it sent and the store has not executed, and what the store answered and the process has
/// not seen.
///
/// Both in order.
struct Channel: Hashable, Sendable {
    struct Answer: Hashable, Sendable {
        let request: Request
        let reply: Reply
    }

    var requests: [Request] = []
    var answers: [Answer] = []
    /// The server at the other end, as the greeting said.
    var identity = 0

    var isEmpty: Bool { requests.isEmpty && answers.isEmpty }
}
