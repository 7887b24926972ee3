/// Some speech of a conversation: where its audio is.
package struct SpeechStretch: Sendable, Equatable {
    /// Sessions whose audio it may be, as far as they are known.
    package var sessions: Set<String>
    /// Whether audio of any other session of the conversation will do, too.
    package var isAnySession: Bool
    /// Unix µs.
    package var times: Range<Int64>

    /// Makes a stretch.
    package init(sessions: Set<String>, isAnySession: Bool = false, times: Range<Int64>) {
        self.sessions = sessions
        self.isAnySession = isAnySession
        self.times = times
    }

    /// Whether a session's audio may be its audio.
    func takes(_ session: String) -> Bool { isAnySession || sessions.contains(session) }
}
