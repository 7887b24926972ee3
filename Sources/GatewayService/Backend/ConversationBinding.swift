import EarshotModel

/// Which conversation the audio of a connection belongs to; pure.
///
/// A 103 says it. While none came, the `memory_id` of a 102 stands in: after a reconnect the senders of today announce
/// nothing until the conversation changes (omi.md 2.5).
struct ConversationBinding {
    private(set) var conversation: ConversationName?
    private var isAnnounced = false

    /// Takes in a 103; `false` when it repeats what holds.
    mutating func announce(_ name: ConversationName) -> Bool {
        defer { conversation = name }
        isAnnounced = true
        return conversation != name
    }

    /// Takes in the `memory_id` of a 102, which never overrides a 103 (issue #6952 of the sender's project).
    mutating func fallBack(to name: ConversationName) {
        if !isAnnounced { conversation = name }
    }
}
