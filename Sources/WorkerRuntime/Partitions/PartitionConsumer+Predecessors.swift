import AudioStreams
import EarshotModel

/// Lanes of sessions that continue others: one begins where the lane before it ended (protocol.md H9).
extension PartitionConsumer {
    /// Where a session begins for the group, once its predecessor is through.
    ///
    /// - Returns: the first number that is its own and how many before it are lost; `nil` when the lane has nothing
    ///   more to do.
    func beginning(
        of session: RegisteredSession, _ number: Int
    ) async throws(HandOffError) -> (start: UInt64, lost: UInt64)? {
        guard let id = session.predecessor else { return (session.from, 0) }
        guard var before = try await handOff.session(id, group: group, in: partition) else { return (session.from, 0) }
        guard try await passes(&before, .session(session.session), number) else { return nil }
        // One of `/v4/listen` has numbers of its gateway's, not of the device's.
        guard before.parameters.flags.contains(.numbered) else { return (session.from, 0) }
        let next = before.progress.next
        let isWanted = WorkerFlags(group).map { !before.parameters.flags.isDisjoint(with: $0) } ?? true
        // What a group did not want of the predecessor it does not miss.
        guard isWanted else { return (max(next, session.from), 0) }
        return (max(next, session.first), session.first > next ? session.first - next : 0)
    }

    /// What the group committed of the session before this one in the conversation.
    ///
    /// One that ended before this session's first entry is waited for, so that all of it counts whenever this is asked;
    /// of one that was live then what is committed now counts. Those of which nothing was committed are passed.
    ///
    /// - Returns: empty when there is nothing to go on from; `nil` when the lane has nothing more to do.
    func stateBefore(_ session: RegisteredSession, _ number: Int) async throws(HandOffError) -> [UInt8]? {
        guard factory.continuesConversations, session.progress.state.isEmpty else { return [] }
        let key = LaneKey.session(session.session)
        var candidate = session.before
        for _ in 0..<limits.conversationLookBackMaximum {
            guard let id = candidate, var before = try await handOff.session(id, group: group, in: partition),
                before.user == session.user, before.conversation == session.conversation
            else { return [] }
            if let end = before.end, let first = lanes[key]?.firstEntry, end < first {
                guard try await passes(&before, key, number) else { return nil }
            }
            if !before.progress.state.isEmpty { return before.progress.state }
            candidate = before.before
        }
        return []
    }

    /// Waits until nothing of a session that ended before a lane began is still to be done here, and looks it up again.
    ///
    /// - Returns: false when the lane has nothing more to do.
    private func passes(_ before: inout RegisteredSession, _ key: LaneKey, _ number: Int) async throws(HandOffError)
        -> Bool
    {
        if !before.progress.isDone {
            if isAhead(before) {
                guard await wait(for: before, key, number) else { return false }
            }
            // Its last commit may have come since it was looked up.
            before = try await handOff.session(before.session, group: group, in: partition) ?? before
        }
        // Without its lanes it cannot tell who is ahead any more.
        return phase == .consuming
    }

    /// Whether anything of a session is still to be done here.
    ///
    /// It ended before its successor was registered, so all of it stands before the successor's entries: once its
    /// marker is read, what is left of it has a lane.
    private func isAhead(_ session: RegisteredSession) -> Bool {
        if lanes[.session(session.session)] != nil { return true }
        guard !session.progress.isDone, let end = session.end else { return false }
        return cursor < end
    }

    /// Waits as a lane does whose dependency is away, but for no dependency.
    ///
    /// - Returns: false when the lane has nothing more to do.
    private func wait(for before: RegisteredSession, _ key: LaneKey, _ number: Int) async -> Bool {
        while isAhead(before) {
            guard phase == .consuming, !Task.isCancelled, lanes[key]?.number == number else { return false }
            lanes[key]?.predecessor = .session(before.session)
            lanes[key]?.isWaiting = true
            roomMayHaveCome()
            _ = await parkIfDue(key, number)
            // In a replay the turn goes to whoever can use it.
            if replay.isInHand(key) { _ = passTurn(of: key) } else { advanceReplay() }
            // The body runs at once, in this actor's turn.
            await withCheckedContinuation { continuation in
                guard phase == .consuming, isAhead(before), lanes[key]?.number == number else {
                    return continuation.resume()
                }
                lanes[key]?.waiter = continuation
            }
        }
        guard phase == .consuming, lanes[key]?.number == number else { return false }
        lanes[key]?.predecessor = nil
        lanes[key]?.isWaiting = false
        return true
    }

    /// Lets lanes look again whether the one before them is through: those that wait for a lane, or all of them.
    func wakeSuccessors(of key: LaneKey?) {
        for (successor, lane) in lanes where lane.predecessor != nil {
            if key == nil || lane.predecessor == key { lanes[successor]?.takeWaiter()?.resume() }
        }
    }
}
