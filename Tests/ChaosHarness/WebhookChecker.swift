import EarshotModel
import PostgresClient

/// (f) Each event a receiver asked for reached it at least once, under one id and with one body.
struct WebhookChecker: Checker {
    let name = "webhooks"
    static let types: [SessionEvent.Kind] = [
        .sessionStarted, .sessionEnded, .transcriptSegments, .conversationCompleted,
    ]

    func check(_ evidence: Evidence) async throws -> CheckResult {
        if let missing = evidence.receiverMissing { return CheckResult(name, missing: missing) }
        let deliveries = evidence.receiver.deliveries
        var violations: [String] = []
        for (id, delivery) in deliveries where delivery.bodies.count > 1 {
            violations.append("\(id): came with \(delivery.bodies.count) different bodies")
        }
        var figures = ["requests": Double(deliveries.values.reduce(0) { $0 + $1.count })]
        for type in Self.types {
            let events = Set(evidence.events.events.filter { $0.type == type }.map(\.id)).count
            let delivered = deliveries.values.filter { $0.type == type.rawValue }.count
            figures["\(type.rawValue)_events"] = Double(events)
            figures["\(type.rawValue)_ids"] = Double(delivered)
            if delivered != events {
                violations.append("\(type.rawValue): \(events) events, \(delivered) ids delivered")
            }
        }
        return CheckResult(name, figures: figures, violations: violations)
    }

    /// Subscribes the receiver for the devices' users.
    ///
    /// - Returns: Why that cannot be done in this build, or nil.
    static func subscribe(_ receiver: WebhookReceiver, users: [String], _ stage: Stage) async throws -> String? {
        guard stage.fleet.roles["webhook"] != nil else { return "no process webhook in the fleet" }
        let tables = try await stage.record.query(
            "SELECT 1 FROM information_schema.tables WHERE table_name = 'webhook_endpoints'")
        guard !tables.isEmpty else { return "no table webhook_endpoints" }
        let url = "http://127.0.0.1:\(receiver.port)/hook"
        let events = types.map(\.rawValue)
        for user in users {
            try await stage.record.execute(
                """
                WITH made AS (
                    INSERT INTO webhook_endpoints (id, owner_kind, owner, url, events, dialect, is_strict, concurrency,
                        rate, headers, window_seconds, audio_policy, state)
                    VALUES (gen_random_uuid(), 'user', \(user), \(url), \(events)::text[], 'standard', false, 4, 100,
                        '{}', 5, 'latest', 'enabled') RETURNING id)
                INSERT INTO webhook_secrets (id, endpoint, secret)
                SELECT gen_random_uuid(), id, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' FROM made
                """)
        }
        return nil
    }
}
