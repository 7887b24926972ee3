import EarshotModel
import FoundationEssentials
import NIOCore
import RedisClient

/// Builds the calls of the functions; the gateway's pipeline and `RedisHandOff` share them.
struct HandOffCommands: Sendable {
    let keys: StreamKeys
    let limits: Limits

    func call(_ function: String, keys: [String], arguments: [RedisArgument]) -> RedisCommand {
        var parts: [RedisArgument] = ["FCALL", .init("earshot_\(function)"), .init(keys.count)]
        parts.append(contentsOf: keys.map { RedisArgument($0) })
        parts.append(contentsOf: arguments)
        // Every function can be repeated: nonces, tokens and numbers make the second time a no-op or an equal answer.
        return RedisCommand(parts).retriable()
    }

    func joinFleet(_ meta: FleetMeta) -> RedisCommand {
        call(
            "fleet_join", keys: [keys.fleetMeta],
            arguments: [.init(meta.partitions), .init(meta.hash), .init(meta.version)])
    }

    func join(kind: String, member: Incarnation) -> RedisCommand {
        call(
            "member_join", keys: [keys.members(kind)],
            arguments: [.init(member.description), .init(member.name)])
    }

    func beat(kind: String, member: Incarnation) -> RedisCommand {
        call("member_beat", keys: [keys.members(kind)], arguments: [.init(member.description)])
    }

    func forget(kind: String, member: String, beat: Int64) -> RedisCommand {
        call("member_forget", keys: [keys.members(kind)], arguments: [.init(member), .init(beat)])
    }

    func enable(_ groups: EnabledGroups, in partition: Partition) -> RedisCommand {
        call(
            "enable",
            keys: [
                keys.meta(partition), keys.audio(partition), keys.events(partition),
                keys.stream(.speakerSample, partition),
            ],
            arguments: groups.byStream.map { .init($0.groups.map(\.name).joined(separator: ",")) }
                + [.init(Self.hexadecimal(.random(in: 1 ... .max)))])
    }

    func admit(_ user: UserID, in partition: Partition, now: Int64) -> RedisCommand {
        call(
            "admit", keys: [keys.admissions(user, partition), keys.audio(partition)],
            arguments: [
                .init(now), .init(limits.sessionRateWindow.microseconds), .init(limits.sessionsPerUserMaximum),
                .init(FencingToken.drawNonce()), .init(limits.partitionBacklogMaximum),
            ])
    }

    func register(_ registration: SessionRegistration, in partition: Partition) -> RedisCommand {
        let parameters = registration.parameters
        let chosen = parameters.clientConversation ?? ConversationID(.timeOrdered(at: registration.now))
        let conversation = registration.boundConversation ?? chosen.description
        return call(
            "register",
            keys: [
                keys.session(registration.session, partition), keys.user(registration.user, partition),
                keys.live(partition), keys.events(partition), keys.meta(partition), keys.wanted(partition),
                keys.conversations(partition), keys.audio(partition), keys.ended(partition),
            ],
            arguments: [
                .init(registration.session.description), .init(registration.user.text),
                .init(registration.gateway.description), .init(Self.hexadecimal(registration.nonce)),
                .init(registration.now), .init(parameters.conversationTimeout), .init(conversation),
                .init(parameters.codec.rawValue), .init(parameters.sampleRate), .init(parameters.language),
                .init(parameters.source ?? ""), .init(Int(parameters.flags.rawValue)),
                .init(Self.startedEvent(registration)), .init(registration.boundConversation == nil ? "" : "1"),
                .init("\(keys.conversationPrefix(partition))\(registration.user)/"),
                .init(registration.predecessor?.description ?? ""), .init(keys.sessionPrefix(partition)),
                .init(registration.first), .init(registration.takeOverMarker), .init(EndReason.superseded.name),
                .init(keys.resultsChannelPrefix), .init(limits.endedSessionRetention.components.seconds),
            ])
    }

    func note(
        _ session: SessionID, epoch: FencingToken, last: UInt64, capture: Int64, in partition: Partition
    ) -> RedisCommand {
        call(
            "note", keys: [keys.session(session, partition)],
            arguments: [.init(epoch.text), .init(last), .init(capture)])
    }

    func end(_ ending: SessionEnding, in partition: Partition) -> RedisCommand {
        call(
            "end",
            keys: [
                keys.session(ending.session, partition), keys.audio(partition), keys.live(partition),
                keys.user(ending.user, partition), keys.ended(partition), keys.lease(.coordinator, partition),
            ],
            arguments: [
                .init(ending.session.description), .init(ending.epoch?.text ?? ""),
                .init(ending.gateway.description), .init(ending.reason.name), .init(ending.marker), .init(ending.now),
                .init(limits.endedSessionRetention.components.seconds),
                .init("\(keys.conversationPrefix(partition))\(ending.user)/"), .init(ending.lease?.text ?? ""),
            ])
    }

    func acquire(_ attempt: Lease.Attempt, group: WorkerGroup, stream: StreamKind?) -> RedisCommand {
        call(
            "acquire",
            keys: [keys.lease(group, attempt.partition)]
                + (stream.map { [keys.stream($0, attempt.partition), keys.parked(group, attempt.partition)] } ?? []),
            arguments: [
                .init(group.name), .init(attempt.owner.description), .init(FencingToken.drawNonce()),
                .init(attempt.lapsed?.token.text ?? ""), .init(attempt.lapsed.map { String($0.beat) } ?? ""),
            ])
    }

    func renew(
        _ token: FencingToken, isSettled: Bool, group: WorkerGroup, partition: Partition
    ) -> RedisCommand {
        call(
            "renew", keys: [keys.lease(group, partition)],
            arguments: [.init(token.text), .init(isSettled ? "1" : "")])
    }

    func release(_ token: FencingToken, group: WorkerGroup, partition: Partition) -> RedisCommand {
        call("release", keys: [keys.lease(group, partition)], arguments: [.init(token.text)])
    }

    func hand(
        _ hand: String?, clearing cleared: String?, token: FencingToken, group: WorkerGroup, partition: Partition
    ) -> RedisCommand {
        call(
            "hand", keys: [keys.lease(group, partition)],
            arguments: [.init(token.text), .init(hand ?? ""), .init(cleared ?? "")])
    }

    func park(
        _ positions: [StreamPosition], of session: SessionID, token: FencingToken, group: WorkerGroup,
        partition: Partition
    ) -> RedisCommand {
        call(
            "park",
            keys: [
                keys.lease(group, partition), keys.audio(partition), keys.parked(session, group, partition),
                keys.parked(group, partition),
            ],
            arguments: [.init(token.text), .init(session.description), .init(limits.parkedBytesMaximum)]
                + positions.map { .init($0.description) })
    }

    func publish(
        _ result: LiveResult, to gateway: Incarnation, token: FencingToken, group: WorkerGroup, partition: Partition
    ) -> RedisCommand {
        call(
            "publish", keys: [keys.lease(group, partition)],
            arguments: [.init(token.text), .init(keys.results(gateway)), .init(result.encoded())])
    }

    func commit(_ commit: Commit) -> RedisCommand {
        let partition = commit.partition
        var names = [
            keys.lease(commit.group, partition), keys.stream(commit.stream, partition), keys.events(partition),
            keys.meta(partition), keys.dead(commit.group, partition), keys.parked(commit.group, partition),
            keys.ended(partition),
        ]
        var arguments: [RedisArgument] = [
            .init(commit.token.text), .init(commit.number), .init(commit.group.name),
            .init(commit.position?.position.description ?? ""), .init(commit.position?.entriesRead ?? 0),
            .init(keys.resultsChannelPrefix), .init(limits.finalsKept),
            .init(limits.endedSessionRetention.components.seconds), .init(limits.deadLettersMaximum),
            .init(keys.conversationPrefix(partition)), .init(commit.lanes.count),
        ]
        for lane in commit.lanes {
            if let session = lane.session {
                names += [keys.session(session, partition), keys.finals(session, partition)]
            } else {
                // A lane of no session writes nothing there; the keys keep the count and the slot.
                names += [keys.meta(partition), keys.meta(partition)]
            }
            append(lane, to: &arguments)
        }
        for unparked in commit.unparked {
            names.append(keys.parked(unparked.session, commit.group, partition))
            arguments += [.init(unparked.session.description), .init(unparked.keptFrom?.description ?? "")]
        }
        return call("commit", keys: names, arguments: arguments)
    }

    private func append(_ lane: Commit.Lane, to arguments: inout [RedisArgument]) {
        let progress = lane.progress
        arguments += [
            .init(lane.session?.description ?? ""), .init(progress.next), .init(progress.ordinal),
            .init(progress.events), .init(progress.state), .init(progress.isDone ? "1" : "0"),
            .init(lane.heard.map { String($0) } ?? ""), .init(lane.speech.map { String($0) } ?? ""),
        ]
        arguments.append(.init(lane.events.count))
        arguments += lane.events.map { RedisArgument($0) }
        arguments.append(.init(lane.finals.count))
        arguments += lane.finals.map { RedisArgument($0.encoded()) }
        arguments.append(.init(lane.deadLetters.count * 2))
        for letter in lane.deadLetters { arguments += [.init(letter.entry.payload), .init(letter.reason)] }
        arguments.append(.init(lane.again.count))
        arguments += lane.again.map { RedisArgument($0) }
    }

    /// The `session.started` event with a mark where the function puts the conversation.
    private static func startedEvent(_ registration: SessionRegistration) -> String {
        var event = SessionEvent(
            type: .sessionStarted, group: "gateway", uid: registration.user.text, session: registration.session,
            conversation: "@conversation@", time: registration.now, ordinal: 0)
        event.codec = registration.parameters.codec.rawValue
        event.sampleRate = registration.parameters.sampleRate
        event.language = registration.parameters.language
        event.source = registration.parameters.source
        event.gateway = registration.gateway.description
        return event.json
    }

    static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
