import AudioStreams
import CoreMetrics
import EarshotModel
import WebhookDelivery
import WorkerRuntime

/// Turns a partition's events into deliveries; an entry is passed as soon as its rows are in Postgres (protocol.md H6).
struct WebhookLane: LaneProcessor {
    /// What all lanes share.
    struct Services: Sendable {
        let endpoints: EndpointDirectory
        let store: PostgresDeliveryStore
        let bodies: WebhookBody
        /// Told that there are new deliveries.
        let wake: @Sendable () -> Void
        /// Sends a text frame to a user's open sessions.
        let notify: @Sendable (UserID, String) async -> Void
        let batchMaximum: Int
    }

    let services: Services
    private let enqueued = Counter(label: "webhook.deliveries.enqueued")

    init(services: Services) { self.services = services }

    mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws {
        var rest = entries[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(services.batchMaximum))
            rest = rest.dropFirst(batch.count)
            try await enqueue(batch)
            guard let last = batch.last else { return }
            try await context.commit(LaneOutput(progress: LaneProgress(next: last.nextSequence)))
        }
    }

    private func enqueue(_ entries: [LaneEntry]) async throws {
        do throws(WebhookError) {
            let events = try entries.map { entry throws(WebhookError) in try Self.event(of: entry) }
            await tell(try await services.store.record(audio: events.filter { $0.type == .endpointAttempts }))
            var deliveries: [NewDelivery] = []
            for event in events { deliveries += try await self.deliveries(of: event) }
            let count = try await services.store.enqueue(deliveries)
            guard count > 0 else { return }
            enqueued.increment(by: count)
            services.wake()
        } catch {
            switch error.code {
            case .unavailable: throw LaneFailure.dependency(name: "postgres", reason: error.message)
            case .refused where entries.count > 1:
                // One bad event must not take its neighbours along.
                for entry in entries { try await enqueue([entry]) }
            default: throw LaneFailure.entry(error.message)
            }
        }
    }

    private static func event(of entry: LaneEntry) throws(WebhookError) -> SessionEvent {
        do {
            return try SessionEvent(json: entry.entry.payload)
        } catch {
            throw WebhookError(.refused, "not an event: \(error)")
        }
    }

    /// Tells the owners of endpoints that were disabled in their open sessions.
    private func tell(_ disabled: [DisabledEndpoint]) async {
        for endpoint in disabled {
            if let user = endpoint.user { await services.notify(user, endpoint.notice) }
        }
        if !disabled.isEmpty { services.wake() }
    }

    private func deliveries(of event: SessionEvent) async throws(WebhookError) -> [NewDelivery] {
        switch event.type {
        case .endpointAttempts, .sessionUsage: return []
        case .endpointDisabled:
            guard let endpoint = event.endpoint.flatMap({ UniqueID($0) }) else { return [] }
            let reason = event.reason ?? PostgresDeliveryStore.goneReason
            let disabled = try await services.store.disable(endpoint, reason: reason)
            await tell(disabled.map { [$0] } ?? [])
            return []
        default: break
        }
        guard let user = UserID(event.uid) else { throw WebhookError(.refused, "an event without a user id") }
        let endpoints = try await services.endpoints.endpoints(of: user)
        return EventFanOut.deliveries(of: event, to: endpoints, bodies: services.bodies)
    }

    mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws {}
    mutating func idle(in context: LaneContext) async throws {}
    mutating func cut(in context: LaneContext) async throws {}
}
