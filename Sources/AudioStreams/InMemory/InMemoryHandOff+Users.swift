package import EarshotModel
import NIOCore

// Users: settings, messages, events, conversations.
extension InMemoryHandOff {
    package func settings(of user: UserID, in partition: Partition) async throws(HandOffError) -> UserSettings {
        try perform { state throws(HandOffError) in state.partitions[partition]?.settings[user] ?? UserSettings() }
    }

    package func project(
        _ settings: UserSettings, of user: UserID, in partition: Partition
    ) async throws(HandOffError) -> Bool {
        try perform { state throws(HandOffError) in
            if let known = state.partitions[partition]?.settings[user], known.revision > settings.revision {
                return false
            }
            state.partitions[partition, default: .init()].settings[user] = settings
            return true
        }
    }

    package func notify(_ user: UserID, in partition: Partition, text: String) async throws(HandOffError) -> Int {
        try perform { state throws(HandOffError) in
            let live = state.partitions[partition]?.users[user]?.live ?? []
            for id in live {
                guard let session = state.partitions[partition]?.sessions[id] else { continue }
                state.published.append(
                    (
                        session.base.gateway.description,
                        LiveResult(kind: .message, session: id, ordinal: 0, count: 0, text: text)
                    ))
            }
            return live.count
        }
    }

    package func requestSample(
        _ request: SpeakerSampleRequest, in partition: Partition
    ) async throws(HandOffError) {
        let limits = limits
        try perform { state throws(HandOffError) in
            let known = state.partitions[partition]?.sampleRequests ?? []
            guard !known.contains(request.name) else { return }
            _ = state.append(ByteBuffer(string: request.json), to: .speakerSample, partition)
            state.partitions[partition]?.sampleRequests = (known + [request.name]).suffix(limits.sampleRequestsKnown)
        }
    }

    package func append(event: SessionEvent, in partition: Partition) async throws(HandOffError) {
        try perform { state throws(HandOffError) in
            _ = state.append(ByteBuffer(string: event.json), to: .events, partition)
        }
    }

    package func conversations(
        in partitions: [Partition]
    ) async throws(HandOffError) -> [Partition: [OpenConversation]] {
        try perform { state throws(HandOffError) in
            var result: [Partition: [OpenConversation]] = [:]
            for partition in partitions {
                for (id, known) in state.partitions[partition]?.conversations ?? [:]
                where known.phase != .completed || known.isAudioPending {
                    guard let session = known.sessions.last else { continue }
                    result[partition, default: []].append(
                        OpenConversation(id: String(id.split(separator: "/")[1]), user: known.user, session: session))
                }
            }
            return result
        }
    }

    package func closeConversation(
        _ id: String, of user: UserID, in partition: Partition, now: Int64
    ) async throws(HandOffError) -> Bool {
        try perform { state throws(HandOffError) in
            guard let known = state.partitions[partition]?.conversations[InMemoryState.name(id, of: user)] else {
                return false
            }
            if known.phase == .open {
                state.switchSessions(of: id, user, in: partition)
                state.beginClosing(id, of: user, in: partition, now: now)
            }
            return true
        }
    }

    package func settle(
        _ conversation: OpenConversation, times: UInt64, in partition: Partition, now: Int64, token: FencingToken
    ) async throws(HandOffError) -> ConversationSettlement {
        try perform { state throws(HandOffError) in
            state.settle(conversation, times: times, in: partition, now: now, token: token, limits)
        }
    }
}
