import EarshotModel
import NIOCore

// How conversations close and are completed.
extension InMemoryState {
    /// Ids of conversations are their users' own.
    static func name(_ conversation: String, of user: UserID) -> String { "\(user)/\(conversation)" }

    mutating func beginClosing(_ id: String, of user: UserID, in partition: Partition, now: Int64) {
        partitions[partition]?.conversations[Self.name(id, of: user)]?.phase = .closing
        partitions[partition]?.conversations[Self.name(id, of: user)]?.closing = now
        if partitions[partition]?.users[user]?.conversation == id {
            partitions[partition]?.users[user]?.conversation = nil
        }
    }

    /// Tells the gateways of a conversation's live sessions, by their tail checks, to begin another.
    mutating func switchSessions(of id: String, _ user: UserID, in partition: Partition) {
        let live = partitions[partition]?.users[user]?.live ?? []
        for session in partitions[partition]?.conversations[Self.name(id, of: user)]?.sessions ?? []
        where live.contains(session) { partitions[partition]?.sessions[session]?.isSwitched = true }
    }

    mutating func settle(
        _ conversation: OpenConversation, times: UInt64, in partition: Partition, now: Int64, token: FencingToken,
        _ limits: Limits
    ) -> ConversationSettlement {
        guard partitions[partition]?.leases[.coordinator]?.token == token else { return .fenced }
        let name = Self.name(conversation.id, of: conversation.user)
        guard let known = partitions[partition]?.conversations[name],
            known.phase != .completed || known.isAudioPending
        else {
            return .alreadyCompleted
        }
        if known.phase == .open {
            if isSilent(conversation, in: partition) {
                switchSessions(of: conversation.id, conversation.user, in: partition)
            } else if !isOver(conversation, in: partition, now: now) {
                return .open
            }
            beginClosing(conversation.id, of: conversation.user, in: partition, now: now)
        }
        let isThrough = known.sessions.allSatisfy { id in
            guard let session = partitions[partition]?.sessions[id] else { return true }
            return session.base.end != nil && session.progress[.transcript]?.isDone == true
        }
        guard isThrough else { return .waiting }
        let isStored = isStored(known, in: partition)
        let since = partitions[partition]?.conversations[name]?.closing ?? 0
        let isPatient = known.phase == .completed || now - since < limits.conversationAudioWait.microseconds
        guard isStored || !isPatient else { return .waiting }
        let events = stream(.events, partition)
        let mark = known.mark ?? events.entries.last?.position ?? .start
        partitions[partition]?.conversations[name]?.mark = mark
        if let record = events.groups[.record], record.position < mark { return .waiting }
        guard known.times == times else { return .completedBefore(times: known.times) }
        var event = conversation.completion(times: times, now: now)
        event.conversationStart = known.start
        event.conversationEnd = known.last ?? now
        event.audioPending = isStored ? nil : true
        _ = append(ByteBuffer(string: event.json), to: .events, partition)
        partitions[partition]?.conversations[name]?.phase = .completed
        partitions[partition]?.conversations[name]?.isAudioPending = !isStored
        partitions[partition]?.conversations[name]?.times += 1
        partitions[partition]?.conversations[name]?.mark = nil
        return .completed
    }

    /// Whether all audio of a conversation is stored that is to be.
    private func isStored(_ conversation: Conversation, in partition: Partition) -> Bool {
        guard partitions[partition]?.enabled[.audio]?.contains(.privateCloud) == true else { return true }
        return conversation.sessions.allSatisfy { id in
            guard let session = partitions[partition]?.sessions[id],
                session.base.parameters.flags.contains(.privateCloud)
            else { return true }
            return session.progress[.privateCloud]?.isDone == true
        }
    }

    /// Notes how far a conversation was heard.
    mutating func note(_ lane: Commit.Lane, of session: RegisteredSession, in partition: Partition) {
        guard let id = lane.session, let heard = lane.heard else { return }
        let conversation = Self.name(session.conversation, of: session.user)
        partitions[partition]?.conversations[conversation]?.heard[id] = heard
        let known = partitions[partition]?.conversations[conversation]?.speech
        if let speech = lane.speech, speech > known ?? 0 {
            partitions[partition]?.conversations[conversation]?.speech = speech
        }
    }

    private func isSilent(_ conversation: OpenConversation, in partition: Partition) -> Bool {
        guard let user = partitions[partition]?.users[conversation.user],
            let known = partitions[partition]?.conversations[Self.name(conversation.id, of: conversation.user)],
            !known.isBound
        else { return false }
        let heard = known.sessions.filter(user.live.contains).map { known.heard[$0] ?? known.start }.min()
        return heard.map { $0 - (known.speech ?? known.start) > Int64(user.timeout) * 1_000_000 } ?? false
    }

    private func isOver(_ conversation: OpenConversation, in partition: Partition, now: Int64) -> Bool {
        guard let user = partitions[partition]?.users[conversation.user] else { return true }
        guard !isShared(conversation.id, by: user, conversation.user, in: partition) else { return false }
        var last: Int64? = user.touched
        if user.conversation != conversation.id {
            let known = partitions[partition]?.conversations[Self.name(conversation.id, of: conversation.user)]
            last = known?.isBound == true ? nil : known?.last
        }
        return last.map { now - $0 > Int64(user.timeout) * 1_000_000 } ?? true
    }

    /// Whether one of the user's live sessions is in a conversation.
    func isShared(_ id: String, by user: User, _ name: UserID, in partition: Partition) -> Bool {
        let sessions = partitions[partition]?.conversations[Self.name(id, of: name)]?.sessions ?? []
        return sessions.contains(where: user.live.contains)
    }
}
