/// What became of an attempt to complete a conversation.
enum Settlement: Hashable, Sendable {
    case open
    case waiting
    case completed
    case alreadyCompleted
    case completedBefore(times: Int)
    case fenced
}
