import EarshotModel

/// Stored audio and a webhook endpoint for users of a crowd, and what must follow from them.
///
/// Conversations are not asked for: they are completed two minutes after the last device, for which no crowd waits.
struct CrowdServices: Sendable {
    private static let types = WebhookChecker.types.subtracting([.conversationCompleted])

    private let stage: Stage
    private let users: Set<String>
    private let receiver: WebhookReceiver
    private let receiverMissing: String?

    /// Switches both on for some users, in bulk.
    static func switchedOn(_ stage: Stage, users: [String]) async throws -> CrowdServices {
        let receiver = WebhookReceiver()
        try await receiver.start()
        let missing = try await WebhookChecker.subscribe(
            receiver, users: users, types: types, withAudio: false, stage)
        try await stage.storeAudio(of: users)
        return CrowdServices(stage: stage, users: Set(users), receiver: receiver, receiverMissing: missing)
    }

    /// What is stored and what was delivered, once everything is quiet, and the ledger of all sessions.
    func checks() async -> [CheckResult] {
        [
            await CheckResult.of("stored_audio") { try await storedAudio() },
            await CheckResult.of("webhooks") { try await webhooks() },
            await CheckResult.of("audit") { try await AuditChecker().check(stage) },
        ]
    }

    func stop() async { await receiver.stop() }

    private func storedAudio() async throws -> CheckResult {
        StoredAudioChecker.compare(try await StoredParts(stage), try await events(), users: users)
    }

    private func webhooks() async throws -> CheckResult {
        if let receiverMissing { return CheckResult("webhooks", missing: receiverMissing) }
        return try await WebhookChecker().check(
            stage, receiver, try await events().filter { users.contains($0.uid) }, types: Self.types)
    }

    private func events() async throws -> [SessionEvent] {
        try await stage.tap.catchUp()
        return stage.tap.log.events
    }
}
