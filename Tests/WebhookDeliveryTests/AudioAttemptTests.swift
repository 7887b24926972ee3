import EarshotModel
import PostgresClient
import TestSupport
import Testing
import WebhookDelivery

@Suite struct AudioAttemptTests {
    private let session = SessionID(UniqueID(high: 3, low: 3))

    private func event(_ attempts: [AudioAttempt]) -> SessionEvent {
        var event = SessionEvent(
            type: .endpointAttempts, group: "audio-bytes", uid: "alice", session: session, conversation: "c1", time: 0,
            ordinal: 0)
        event.attempts = attempts
        return event
    }

    private func attempt(
        _ endpoint: WebhookEndpoint, _ window: UInt64, at: Int64, status: Int,
        _ change: (inout AudioAttempt) -> Void = { _ in }
    ) -> AudioAttempt {
        var attempt = AudioAttempt(
            id: UniqueID(high: 9, low: window).description, endpoint: endpoint.id.description, sequence: window, at: at,
            milliseconds: 12, isDelivered: status == 200)
        attempt.status = status
        change(&attempt)
        return attempt
    }

    @Test("Requests with live audio are logged once, by window and by endpoint; gone endpoints are left out")
    func log() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            var gone = endpoint
            gone.id = UniqueID(high: 1, low: 1)
            let now = WallClock.microseconds
            let failed = attempt(endpoint, 7, at: now, status: 500) {
                $0.error = "status 500"
                $0.remote = "192.0.2.1"
                $0.response = "no"
            }
            let events = [
                event([failed, attempt(gone, 8, at: now, status: 500)]),
                event([attempt(endpoint, 7, at: now + 1_000_000, status: 200)]),
            ]
            #expect(try await fixture.store.record(audio: events).isEmpty)
            #expect(try await fixture.store.record(audio: events).isEmpty, "a replay changes nothing")
            let logged = try await fixture.store.audioAttempts(of: endpoint.id, limit: 10)
            #expect(logged.map(\.log.status) == [200, 500])
            #expect(logged.map(\.sequence) == [7, 7])
            #expect(
                logged.last?.log
                    == AttemptLog(
                        at: now, milliseconds: 12, status: 500, error: "status 500", remote: "192.0.2.1",
                        response: "no"))
            #expect(try await fixture.store.audioAttempts(ofWindow: UniqueID(high: 9, low: 7), limit: 10) == logged)
            #expect(try await fixture.store.audioAttempts(ofWindow: UniqueID(high: 9, low: 8), limit: 10).isEmpty)
            var limits = DeliveryLimits()
            limits.audioAttemptsKeep = .seconds(-60)
            let impatient = PostgresDeliveryStore(client: fixture.client, limits: limits)
            #expect(try await impatient.cleanUp() == 2)
        }
    }

    @Test("Live audio that only fails disables its endpoint after five days, a success in between does not")
    func disabling() async throws {
        try await StoreFixture.with { fixture in
            let failing = try await fixture.endpoint { $0.events = [.audioBytes] }
            let well = try await fixture.endpoint("bob") { $0.events = [.audioBytes] }
            func fail(_ endpoint: WebhookEndpoint, at: Int64) async throws -> [DisabledEndpoint] {
                try await fixture.store.record(audio: [event([attempt(endpoint, 1, at: at, status: 500)])])
            }
            for endpoint in [failing, well] { #expect(try await fail(endpoint, at: 1).isEmpty) }
            try await fixture.client.execute(
                "UPDATE webhook_health SET failing_since = failing_since - interval '5 days'")
            let arrived = event([attempt(well, 2, at: 2, status: 200)])
            #expect(try await fixture.store.record(audio: [arrived]).isEmpty)
            #expect(try await fail(well, at: 3).isEmpty)
            let disabled = try await fail(failing, at: 4)
            #expect(disabled.map(\.id) == [failing.id])
            #expect(disabled.first?.user == UserID("alice"))
            #expect(try await fixture.endpoints.endpoint(failing.id)?.state == .disabled)
            #expect(try await fixture.endpoints.endpoint(well.id)?.state == .enabled)
        }
    }

    @Test("What live audio was asked to wait, events wait as well")
    func pause() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            _ = try await fixture.store.enqueue(fixture.deliveries(1, to: endpoint))
            let asked = attempt(endpoint, 1, at: 1, status: 503) { $0.pause = 600_000_000 }
            _ = try await fixture.store.record(audio: [event([asked])])
            #expect(try await fixture.claim().isEmpty)
        }
    }
}
