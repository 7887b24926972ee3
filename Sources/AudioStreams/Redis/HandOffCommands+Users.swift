import EarshotModel
import FoundationEssentials
import RedisClient

// The calls about users: settings, messages, events, conversations.
extension HandOffCommands {
    func settings(of user: UserID, in partition: Partition) -> RedisCommand {
        RedisCommand("HGET", .init(keys.settings(partition)), .init(user.text)).retriable()
    }

    func project(_ settings: UserSettings, of user: UserID, in partition: Partition) -> RedisCommand {
        call(
            "settings_put", keys: [keys.settings(partition), keys.wanted(partition)],
            arguments: [
                .init(user.text), .init(Self.json(settings)), .init(Int(settings.flags.rawValue)),
                .init(keys.settingsChannel),
            ])
    }

    func notify(_ user: UserID, in partition: Partition, text: String) -> RedisCommand {
        call(
            "notify", keys: [keys.user(user, partition)],
            arguments: [.init(keys.sessionPrefix(partition)), .init(keys.resultsChannelPrefix), .init(text)])
    }

    func requestSample(_ request: SpeakerSampleRequest, in partition: Partition) -> RedisCommand {
        call(
            "sample_request",
            keys: [keys.stream(.speakerSample, partition), keys.sampleRequests(partition)],
            arguments: [
                .init(request.name), .init(request.json), .init(limits.sampleRequestsKnown),
                .init(limits.endedSessionRetention.components.seconds),
            ])
    }

    func append(event: SessionEvent, in partition: Partition) -> RedisCommand {
        // Readers know an event by its id, so that a repetition does no harm.
        RedisCommand("XADD", .init(keys.events(partition)), "*", "e", .init(event.json)).retriable()
    }

    func append(
        event: SessionEvent, of session: SessionID, epoch: FencingToken, in partition: Partition
    ) -> RedisCommand {
        call(
            "event", keys: [keys.session(session, partition), keys.events(partition)],
            arguments: [.init(epoch.text), .init(event.json), .init(event.ordinal)])
    }

    func closeConversation(
        _ id: String, of user: UserID, in partition: Partition, now: Int64, language: String? = nil
    ) -> RedisCommand {
        call(
            "conversation_close",
            keys: [keys.conversation(id, of: user, partition), keys.user(user, partition)],
            arguments: [.init(id), .init(now), .init(keys.sessionPrefix(partition)), .init(language ?? "")])
    }

    func settle(
        _ conversation: OpenConversation, times: UInt64, in partition: Partition, now: Int64, token: FencingToken
    ) -> RedisCommand {
        call(
            "conversation_settle",
            keys: [
                keys.lease(.coordinator, partition),
                keys.conversation(conversation.id, of: conversation.user, partition),
                keys.conversations(partition), keys.user(conversation.user, partition), keys.events(partition),
                keys.meta(partition),
            ],
            arguments: [
                .init(token.text), .init(conversation.id), .init(keys.sessionPrefix(partition)), .init(now),
                .init(times), .init(conversation.completion(times: times, now: now).json),
                .init(limits.endedSessionRetention.components.seconds), .init(WorkerGroup.record.name),
                .init(conversation.user.text), .init(WorkerGroup.privateCloud.name),
                .init(Int(WorkerFlags.privateCloud.rawValue)), .init(limits.conversationAudioWait.microseconds),
            ])
    }

    static func json(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only a floating-point number that is not finite could fail, and the product makes none.
        guard let data = try? encoder.encode(value) else { preconditionFailure("a document holds only finite numbers") }
        return String(decoding: data, as: UTF8.self)
    }
}

extension OpenConversation {
    /// The event that completes it, or that completes it anew.
    func completion(times: UInt64, now: Int64) -> SessionEvent {
        var event = SessionEvent(
            type: times == 0 ? .conversationCompleted : .conversationUpdated, group: WorkerGroup.coordinator.name,
            uid: user.text, session: session, conversation: id, time: now, ordinal: times)
        event.id = UniqueID.derived(from: session.value, name: "conversation/\(id)/\(times)").description
        return event
    }
}
