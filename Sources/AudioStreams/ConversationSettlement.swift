/// What became of an attempt to complete a conversation.
package enum ConversationSettlement: Equatable, Sendable {
    /// Somebody is in it, or may still continue it.
    case open
    /// It is closed, but not everything said in it is transcribed and recorded.
    case waiting
    /// Its event stands in the stream now.
    case completed
    /// It is completed, or unknown; nothing happened.
    case alreadyCompleted
    /// It was completed so many times before and reopened since: the event has to say so; nothing happened.
    case completedBefore(times: UInt64)
    /// The lease is another's; nothing happened.
    case fenced
}
