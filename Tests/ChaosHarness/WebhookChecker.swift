import EarshotModel
import PostgresClient
import TestSupport

/// (f) Each event a receiver asked for reached it at least once, under one id and with one body; and of each session
/// and each conversation every type came that has to.
struct WebhookChecker: Checker {
    let name = "webhooks"
    static let types: Set<SessionEvent.Kind> = [
        .sessionStarted, .sessionEnded, .transcriptSegments, .audioStored, .conversationCompleted,
    ]

    /// The first retry of a failed delivery comes after 5 s, a claim of a killed process ends after 45 s.
    private static let waitMaximum: Duration = .seconds(120)

    func check(_ evidence: Evidence) async throws -> CheckResult {
        if let missing = evidence.receiverMissing { return CheckResult(name, missing: missing) }
        return try await check(
            evidence.stage, evidence.receiver, evidence.events.events, sessions: evidence.knownSessions,
            types: Self.types)
    }

    /// Checks what came of the events of all users with an endpoint for some types.
    func check(
        _ stage: Stage, _ receiver: WebhookReceiver, _ all: [SessionEvent], sessions: Set<String> = [],
        types: Set<SessionEvent.Kind>
    ) async throws -> CheckResult {
        let record = stage.record
        try await eventually(within: Self.waitMaximum, "every delivery is finished") {
            try await record.query(
                "SELECT 1 FROM webhook_deliveries WHERE state IN ('pending', 'waiting') LIMIT 1"
            ).isEmpty
        }
        let received = receiver.deliveries
        var violations: [String] = []
        for (id, delivery) in received where delivery.bodies.count > 1 {
            violations.append("\(id): came with \(delivery.bodies.count) different bodies")
        }
        var ids: [String: Set<String>] = [:]
        for row in try await record.query("SELECT id::text AS id, event::text AS event, state FROM webhook_deliveries")
        {
            let id = try row.decode("id", as: String.self)
            ids[try row.decode("event"), default: []].insert(id)
            let state = try row.decode("state", as: String.self)
            if state != "delivered" { violations.append("\(id): is \(state)") }
            if received[id] == nil { violations.append("\(id): was never received") }
        }
        let known = ids.values.reduce(into: Set<String>()) { $0.formUnion($1) }
        for id in received.keys where !known.contains(id) { violations.append("\(id): nobody knows this delivery") }
        var figures = ["requests": Double(received.values.reduce(0) { $0 + $1.count }), "ids": Double(received.count)]
        for type in types {
            let events = Set(all.filter { $0.type == type }.map(\.id))
            figures[type.rawValue] = Double(events.count)
            for event in events where ids[event]?.count != 1 {
                violations.append("\(type.rawValue) \(event): \(ids[event]?.count ?? 0) deliveries")
            }
        }
        let expected = WebhookArrivals.expected(all, sessions: sessions, types: types)
        figures["expected"] = Double(expected.count)
        if expected.isEmpty { violations.append("there was nothing to deliver") }
        for missing in expected.subtracting(received.values.compactMap(\.arrival)) {
            violations.append("\(missing) never came")
        }
        return CheckResult(name, figures: figures, violations: violations)
    }

    /// Subscribes the receiver for some users, all at once.
    ///
    /// - Parameters:
    ///   - receiver: Where webhooks go.
    ///   - users: Who need not be known.
    ///   - types: The events that go to `/hook`.
    ///   - withAudio: Whether their live audio goes to `/audio`.
    ///   - stage: Where they are.
    /// - Returns: Why that cannot be done in this build, or nil.
    /// - Throws: What the database throws.
    static func subscribe(
        _ receiver: WebhookReceiver, users: [String], types: Set<SessionEvent.Kind>, withAudio: Bool, _ stage: Stage
    ) async throws -> String? {
        guard stage.fleet.roles["webhook"] != nil else { return "no process webhook in the fleet" }
        let tables = try await stage.record.query(
            "SELECT 1 FROM information_schema.tables WHERE table_name = 'webhook_endpoints'")
        guard !tables.isEmpty else { return "no table webhook_endpoints" }
        var endpoints = [("hook", types.map(\.rawValue).sorted())]
        if withAudio { endpoints.append(("audio", ["audio.bytes"])) }
        for (path, wanted) in endpoints {
            let url = "http://127.0.0.1:\(receiver.port)/\(path)"
            try await stage.record.execute(
                """
                WITH made AS (
                    INSERT INTO webhook_endpoints (id, owner_kind, owner, url, events, dialect, is_strict,
                        concurrency, rate, headers, window_seconds, audio_policy, state)
                    SELECT gen_random_uuid(), 'user', uid, \(url), \(wanted)::text[], 'standard', false, 4,
                        100, '{}', 5, 'all', 'enabled' FROM unnest(\(users)::text[]) AS uid RETURNING id),
                health AS (INSERT INTO webhook_health (endpoint) SELECT id FROM made)
                INSERT INTO webhook_secrets (id, endpoint, secret)
                SELECT gen_random_uuid(), id, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' FROM made
                """)
        }
        return nil
    }
}
