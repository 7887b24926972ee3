/// Opens lanes of one worker type.
package protocol LaneProcessorFactory: Sendable {
    /// Makes the processor of a lane that begins at its committed progress.
    func open(_ opening: LaneOpening) throws -> any LaneProcessor
    /// Whether a session's lane goes on from what the group committed of the session before it in the conversation
    /// (`LaneOpening.stateBefore`): it waits for that one, if it ended before the lane's first entry.
    var continuesConversations: Bool { get }
    /// Whether what a lane waits for (the name in `LaneFailure.dependency`) may be there again.
    ///
    /// Asked before the lane is opened anew: until then it reads nothing again, which would be read in vain. Answered
    /// from what is known, without asking the dependency.
    func mayBeAvailable(_ dependency: String) -> Bool
}

extension LaneProcessorFactory {
    /// No: each session is a matter of its own.
    package var continuesConversations: Bool { false }
    /// Nothing is known: it is tried.
    package func mayBeAvailable(_ dependency: String) -> Bool { true }
}
