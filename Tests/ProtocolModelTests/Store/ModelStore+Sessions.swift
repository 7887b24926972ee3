// Registration, the tail check, ends.
extension ModelStore {
    enum EndOutcome: Hashable, Sendable {
        case ended(Int)
        case alreadyEnded(Int)
        case fenced
        case unknown
        case full
    }

    /// Registers a session once; a resumed one ends what it continues, in the same step (H9).
    ///
    /// `nil` when refused.
    mutating func register(_ request: Registration) -> Registration.Grant? {
        if let known = sessions[request.session] {
            guard known.epoch.nonce == request.nonce else { return nil }
            return Registration.Grant(
                epoch: known.epoch, from: resumePoint(of: known), conversation: known.conversation)
        }
        guard !isFull else { return nil }
        let predecessor = request.resumes ? latest[request.device] : nil
        if let predecessor, let old = sessions[predecessor], old.end == nil {
            _ = end(predecessor, epoch: old.epoch, gateway: old.gateway)
        }
        let conversation = joinConversation(request, after: predecessor)
        epochs += 1
        let from = max(request.first, predecessor.flatMap { sessions[$0]?.last } ?? 0)
        let session = StoredSession(
            id: request.session, device: request.device, epoch: Token(counter: epochs, nonce: request.nonce),
            gateway: request.gateway, conversation: conversation, first: request.first, predecessor: predecessor,
            last: from, appended: request.first)
        sessions[session.id] = session
        latest[session.device] = session.id
        events.append(.started(session: session.id, conversation: conversation))
        return Registration.Grant(epoch: session.epoch, from: resumePoint(of: session), conversation: conversation)
    }

    private func resumePoint(of session: StoredSession) -> Int {
        max(session.first, session.predecessor.flatMap { sessions[$0]?.last } ?? 0)
    }

    private mutating func joinConversation(_ request: Registration, after predecessor: Int?) -> Int {
        let bound = predecessor.flatMap { sessions[$0]?.conversation }
        let joined = bound ?? openConversation[request.device] ?? request.session
        openConversation[request.device] = joined
        var conversation = conversations[joined] ?? StoredConversation(device: request.device)
        conversation.phase = .open
        if rules.reopeningForgetsMark { conversation.mark = nil }
        conversation.sessions.append(request.session)
        conversations[joined] = conversation
        return joined
    }

    /// The tail check: the session is still of this epoch and has no end.
    func holds(_ session: Int, epoch: Token) -> Bool {
        sessions[session]?.epoch == epoch && sessions[session]?.end == nil
    }

    /// Notes what a gateway acknowledged, under its own epoch and before the end; whether it did.
    mutating func note(last: Int, of session: Int, epoch: Token) -> Bool {
        guard let known = sessions[session], known.epoch == epoch, known.end == nil else { return false }
        sessions[session]?.last = max(known.last, last)
        return true
    }

    /// Ends a session, once; without an epoch only the gateway must match.
    mutating func end(_ session: Int, epoch: Token?, gateway: ProcessStart) -> EndOutcome {
        guard let known = sessions[session] else { return .unknown }
        if rules.endIsFinal, let end = known.end { return .alreadyEnded(end) }
        guard known.gateway == gateway, epoch == nil || epoch == known.epoch else { return .fenced }
        guard !isFull || rules.freesWhenFull else { return .full }
        let position = write(Entry(position: 0, session: session, first: known.appended, count: 0, isMarker: true))
        sessions[session]?.end = position
        return .ended(position)
    }
}
