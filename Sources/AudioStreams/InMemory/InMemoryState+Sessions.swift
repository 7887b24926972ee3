import EarshotModel
import NIOCore

// How sessions are registered, continued and ended.
extension InMemoryState {
    mutating func register(
        _ registration: SessionRegistration, _ partition: Partition
    ) throws(HandOffError) -> SessionRegistration.Grant {
        var state = partitions[partition] ?? PartitionState()
        if let known = state.sessions[registration.session] {
            guard known.nonce == registration.nonce else {
                throw HandOffError(.refused, "EXISTS the session is registered already")
            }
            return Self.grant(known)
        }
        let old = registration.predecessor.flatMap { state.sessions[$0]?.base }
            .flatMap { $0.user == registration.user ? $0 : nil }
        if let head = old?.successor { return Self.continued(by: last(after: head, in: partition)) }
        var from = registration.first
        if let old {
            from = max(from, old.from, old.last.map { $0 + 1 } ?? 0)
            takeOver(old, by: registration, in: partition)
            state = partitions[partition] ?? state
        }
        let (user, joined, continues) = join(registration, after: old, state, in: partition)
        state.epochs += 1
        var parameters = registration.parameters
        parameters.flags.formUnion(state.settings[registration.user]?.flags ?? [])
        let name = Self.name(joined.id, of: registration.user)
        // In one that was over its silence is counted anew.
        let isOver = state.conversations[name].map { $0.phase != .open } ?? false
        let before = old?.conversation == joined.id ? old?.session : state.conversations[name]?.sessions.last
        state.conversations[name, default: Conversation(user: registration.user, start: joined.start)].phase = .open
        if isOver { state.conversations[name]?.speech = registration.now }
        state.conversations[name]?.sessions.append(registration.session)
        // One that was closing waits for the record anew: more events of it will come (protocol.md M6).
        state.conversations[name]?.mark = nil
        if registration.boundConversation != nil { state.conversations[name]?.isBound = true }
        let session = Session(
            base: RegisteredSession(
                session: registration.session, user: registration.user,
                epoch: FencingToken("\(state.epochs):\(HandOffCommands.hexadecimal(registration.nonce))"),
                gateway: registration.gateway, conversation: joined.id, conversationStart: joined.start,
                startedAt: registration.now, parameters: parameters, predecessor: old?.session,
                before: before, first: registration.first, from: from),
            nonce: registration.nonce, continues: continues)
        state.users[registration.user] = user
        state.sessions[registration.session] = session
        state.live[registration.session] = registration.gateway.description
        partitions[partition] = state
        _ = append(ByteBuffer(string: Self.startedEvent(session)), to: .events, partition)
        return Self.grant(session)
    }

    /// The conversation a session joins, and how the user stands then.
    private func join(
        _ registration: SessionRegistration, after old: RegisteredSession?, _ state: PartitionState,
        in partition: Partition
    ) -> (user: User, joined: (id: String, start: Int64), continues: Bool) {
        let fresh =
            registration.parameters.clientConversation ?? ConversationID(.timeOrdered(at: registration.now))
        let name = registration.boundConversation ?? fresh.description
        let named = state.conversations[Self.name(name, of: registration.user)]
        var joined = (id: name, start: named?.start ?? registration.now)
        var continues = named != nil
        var open: (id: String, start: Int64)?
        if let known = state.users[registration.user], let id = known.conversation {
            let isRecent = registration.now - known.touched <= Int64(known.timeout) * 1_000_000
            let isShared = isShared(id, by: known, registration.user, in: partition)
            if isShared || isRecent { open = (id, known.start) }
        }
        var stays: (id: String, start: Int64)?
        let isBound = registration.boundConversation != nil
        if !isBound, let old, old.endReason != .conversationClosed, state.sessions[old.session]?.isSwitched != true {
            (joined, continues) = ((old.conversation, old.conversationStart), true)
            if let open, open.id != old.conversation { stays = open }
        } else if !isBound, let open {
            (joined, continues) = (open, true)
        }
        let users = stays ?? joined
        var user = User(
            conversation: users.id, start: users.start,
            touched: stays == nil ? registration.now : state.users[registration.user]?.touched ?? registration.now,
            timeout: registration.parameters.conversationTimeout)
        user.live = (state.users[registration.user]?.live ?? []).union([registration.session])
        return (user, joined, continues)
    }

    // MARK: Resumes

    private static func continued(by successor: SessionID) -> SessionRegistration.Grant {
        SessionRegistration.Grant(
            epoch: FencingToken(""), conversation: "", conversationStart: 0, continuesConversation: false, flags: [],
            successor: successor)
    }

    private func last(after session: SessionID, in partition: Partition) -> SessionID {
        var head = session
        while let next = partitions[partition]?.sessions[head]?.base.successor { head = next }
        return head
    }

    private mutating func takeOver(
        _ old: RegisteredSession, by registration: SessionRegistration, in partition: Partition
    ) {
        if old.end == nil {
            let ending = SessionEnding(
                session: old.session, user: old.user, epoch: old.epoch, gateway: old.gateway, reason: .superseded,
                now: registration.now)
            _ = end(ending, partition)
            published.append(
                (
                    old.gateway.description,
                    LiveResult(kind: .taken, session: old.session, ordinal: 0, count: 0, text: "")
                ))
        }
        partitions[partition]?.sessions[old.session]?.base.successor = registration.session
    }

    mutating func note(
        _ session: SessionID, epoch: FencingToken, last: UInt64, capture: Int64, in partition: Partition
    ) -> Bool {
        guard let known = partitions[partition]?.sessions[session]?.base, known.epoch == epoch, known.end == nil else {
            return false
        }
        if last >= known.last.map({ $0 + 1 }) ?? 0 {
            partitions[partition]?.sessions[session]?.base.last = last
            partitions[partition]?.sessions[session]?.base.lastCapture = capture
        }
        return true
    }

    // MARK: Answers

    private static func grant(_ session: Session) -> SessionRegistration.Grant {
        SessionRegistration.Grant(
            epoch: session.base.epoch, conversation: session.base.conversation,
            conversationStart: session.base.conversationStart, continuesConversation: session.continues,
            flags: session.base.parameters.flags, from: session.base.from,
            isResumed: session.base.predecessor != nil)
    }

    private static func startedEvent(_ session: Session) -> String {
        let base = session.base
        var event = SessionEvent(
            type: .sessionStarted, group: "gateway", uid: base.user.text, session: base.session,
            conversation: base.conversation, time: base.startedAt, ordinal: 0)
        event.codec = base.parameters.codec.rawValue
        event.sampleRate = base.parameters.sampleRate
        event.language = base.parameters.language
        event.source = base.parameters.source
        event.gateway = base.gateway.description
        event.conversationStart = base.conversationStart
        event.continuesConversation = session.continues
        event.predecessor = base.predecessor?.description
        return event.json
    }

    // MARK: Ends

    mutating func end(_ ending: SessionEnding, _ partition: Partition) -> SessionEnding.Outcome {
        if let lease = ending.lease, partitions[partition]?.leases[.coordinator]?.token != lease { return .fenced }
        guard let known = partitions[partition]?.sessions[ending.session] else {
            partitions[partition]?.live[ending.session] = nil
            return .unknown
        }
        if let end = known.base.end { return .alreadyEnded(end) }
        guard known.base.gateway == ending.gateway, ending.epoch == nil || ending.epoch == known.base.epoch else {
            return .fenced
        }
        let position = append(ending.marker, to: .audio, partition)
        partitions[partition]?.sessions[ending.session]?.base.end = position
        partitions[partition]?.sessions[ending.session]?.base.endReason = ending.reason
        partitions[partition]?.live[ending.session] = nil
        let isLive = partitions[partition]?.users[ending.user]?.live.remove(ending.session) != nil
        if isLive, partitions[partition]?.users[ending.user]?.conversation == known.base.conversation {
            partitions[partition]?.users[ending.user]?.touched = ending.now
        }
        partitions[partition]?.conversations[Self.name(known.base.conversation, of: ending.user)]?.last = ending.now
        return .ended(position)
    }
}
