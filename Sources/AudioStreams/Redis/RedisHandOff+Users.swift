package import EarshotModel
import FoundationEssentials
import RedisClient

// Users: settings, messages, events, conversations.
extension RedisHandOff {
    package func settings(of user: UserID, in partition: Partition) async throws(HandOffError) -> UserSettings {
        let reply = try await execute(commands.settings(of: user, in: partition))
        if reply.isNull { return UserSettings() }
        guard let text = reply.string,
            let settings = try? JSONDecoder().decode(UserSettings.self, from: Data(text.utf8))
        else { throw malformed("HGET of settings", reply) }
        return settings
    }

    package func project(
        _ settings: UserSettings, of user: UserID, in partition: Partition
    ) async throws(HandOffError) -> Bool {
        try await number(commands.project(settings, of: user, in: partition), "settings_put") == 1
    }

    package func notify(_ user: UserID, in partition: Partition, text: String) async throws(HandOffError) -> Int {
        try await number(commands.notify(user, in: partition, text: text), "notify")
    }

    package func requestSample(
        _ request: SpeakerSampleRequest, in partition: Partition
    ) async throws(HandOffError) {
        _ = try await number(commands.requestSample(request, in: partition), "sample_request")
    }

    package func append(event: SessionEvent, in partition: Partition) async throws(HandOffError) {
        let reply = try await execute(commands.append(event: event, in: partition))
        guard reply.string != nil else { throw malformed("XADD", reply) }
    }

    package func conversations(
        in partitions: [Partition]
    ) async throws(HandOffError) -> [Partition: [OpenConversation]] {
        let replies = try await execute(
            partitions.map { RedisCommand("HGETALL", .init(keys.conversations($0))).retriable() })
        var result: [Partition: [OpenConversation]] = [:]
        for (partition, reply) in zip(partitions, replies) {
            guard let values = reply.array else { throw malformed("HGETALL", reply) }
            for index in stride(from: 0, to: values.count - 1, by: 2) {
                // A user's id has no slash in it, a conversation's has none either.
                let parts = values[index].string?.split(separator: "/") ?? []
                guard parts.count == 2, let user = UserID(parts[0]),
                    let session = values[index + 1].string.flatMap({ SessionID($0) })
                else { continue }
                result[partition, default: []].append(
                    OpenConversation(id: String(parts[1]), user: user, session: session))
            }
        }
        return result
    }

    package func closeConversation(
        _ id: String, of user: UserID, in partition: Partition, now: Int64
    ) async throws(HandOffError) -> Bool {
        let reply = try await execute(commands.closeConversation(id, of: user, in: partition, now: now))
        guard let word = reply.string else { throw malformed("conversation_close", reply) }
        return word != "GONE"
    }

    package func settle(
        _ conversation: OpenConversation, times: UInt64, in partition: Partition, now: Int64, token: FencingToken
    ) async throws(HandOffError) -> ConversationSettlement {
        let reply = try await execute(
            commands.settle(conversation, times: times, in: partition, now: now, token: token))
        guard let outcome = ConversationSettlement(reply: reply) else { throw malformed("conversation_settle", reply) }
        return outcome
    }

    func number(_ command: RedisCommand, _ what: String) async throws(HandOffError) -> Int {
        let reply = try await execute(command)
        guard let number = reply.int else { throw malformed(what, reply) }
        return number
    }
}
