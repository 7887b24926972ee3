// How conversations close and are completed, and the record that they wait for.
extension ModelStore {
    /// Completes a conversation, once, when it is over, transcribed and recorded.
    mutating func settle(_ id: Int, times: Int, isTimedOut: Bool, token: Token) -> Settlement {
        guard leases[Group.coordinator.rawValue]?.token == token else { return .fenced }
        guard var conversation = conversations[id], conversation.phase != .completed || !rules.completesOnce else {
            return .alreadyCompleted
        }
        if conversation.phase == .open {
            guard isOver(id, of: conversation.device, isTimedOut: isTimedOut) else { return .open }
            conversation.phase = .closing
            if openConversation[conversation.device] == id { openConversation[conversation.device] = nil }
        }
        defer { conversations[id] = conversation }
        let isThrough = conversation.sessions.allSatisfy { id in
            guard let session = sessions[id] else { return true }
            return session.end != nil && session.progress[Group.transcript.rawValue].isDone
        }
        guard isThrough else { return .waiting }
        let mark = conversation.mark ?? events.count
        conversation.mark = mark
        guard recorded >= mark else { return .waiting }
        guard conversation.times == times || !rules.completesOnce else {
            return .completedBefore(times: conversation.times)
        }
        events.append(.completed(conversation: id))
        conversation.phase = .completed
        conversation.times += 1
        conversation.mark = nil
        return .completed
    }

    private func isOver(_ id: Int, of device: Int, isTimedOut: Bool) -> Bool {
        guard !live.contains(where: { $0.device == device }) else { return false }
        return openConversation[device] != id || isTimedOut
    }

    /// The record passes some events.
    mutating func record(_ count: Int) { recorded = min(events.count, recorded + count) }
}
