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
        if isAhead(before) {
            guard await wait(for: before, .session(session.session), number) else { return nil }
            before = try await handOff.session(id, group: group, in: partition) ?? before
        }
        // Without its lanes it cannot tell who is ahead any more.
        guard phase == .consuming else { return nil }
        let next = before.progress.next
        let isWanted = WorkerFlags(group).map { !before.parameters.flags.isDisjoint(with: $0) } ?? true
        // What a group did not want of the predecessor it does not miss.
        guard isWanted else { return (max(next, session.from), 0) }
        return (max(next, session.first), session.first > next ? session.first - next : 0)
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
