import DeliveryWorkers
import EarshotModel
import Foundation
import HTTPTransport
import Logging
import PostgresClient
import ServiceLifecycle
import SessionRecord
import Synchronization
import TestSupport
import Testing
import WebhookDelivery

/// A migrated database, stores, and deliverers with a real transport.
struct DeliveryFixture: Sendable {
    let client: PostgresClient
    let endpoints: PostgresEndpointStore
    let store: PostgresDeliveryStore
    let limits: DeliveryLimits
    let notices = Notices()

    /// What was sent to users' open sessions.
    final class Notices: Sendable {
        private let list = Mutex<[String]>([])
        var all: [String] { list.withLock(\.self) }
        func add(_ user: UserID, _ text: String) { list.withLock { $0.append("\(user) \(text)") } }
    }

    /// Clocks shortened a thousandfold where something waits, time-outs shorter.
    static var fastLimits: DeliveryLimits {
        var limits = DeliveryLimits()
        limits.retryDelays = limits.retryDelays.map { $0 / 1_000 }
        limits.totalTimeout = .milliseconds(400)
        limits.claimDuration = .seconds(20)
        limits.pollInterval = .milliseconds(100)
        limits.breakerPause = .milliseconds(100)
        limits.breakerPauseMaximum = .milliseconds(100)
        limits.recordStep = .milliseconds(10)
        return limits
    }

    static func with(
        _ limits: DeliveryLimits = fastLimits, _ body: (DeliveryFixture) async throws -> Void
    ) async throws {
        let migrations = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Migrations").path
        try await PostgresServerFixture.withDatabase { database in
            _ = try await MigrationRunner(client: database.client, directory: migrations, logger: .silent).run()
            try await body(
                DeliveryFixture(
                    client: database.client, endpoints: PostgresEndpointStore(client: database.client, limits: limits),
                    store: PostgresDeliveryStore(client: database.client, limits: limits), limits: limits))
        }
    }

    func endpoint(
        _ url: String, owner: String = "alice", _ change: (inout WebhookEndpoint) -> Void = { _ in }
    ) async throws -> WebhookEndpoint {
        let user = try #require(UserID(owner))
        var endpoint = WebhookEndpoint(
            id: .timeOrdered(at: WallClock.microseconds), owner: .user(user), url: url,
            events: WebhookEventType.subscribable.filter { $0 != .audioBytes },
            secrets: [EndpointSecret(key: .newShared())])
        endpoint.rate = 1_000
        change(&endpoint)
        try await endpoints.add(endpoint)
        return endpoint
    }

    /// Writes deliveries of so many events in one conversation.
    func enqueue(_ count: Int, to endpoint: WebhookEndpoint, conversation: String = "c1") async throws {
        let deliveries = (0..<count).map { index in
            var delivery = NewDelivery(
                event: .timeOrdered(at: Int64(index)), endpoint: endpoint.id, type: .transcriptSegments, uid: "alice",
                conversation: conversation)
            delivery.body = "{\"n\":\(index)}"
            return delivery
        }
        _ = try await store.enqueue(deliveries)
    }

    func states(of endpoint: WebhookEndpoint) async throws -> [ListedDelivery.State: Int] {
        let all = try await store.list(.init(endpoint: endpoint.id), limit: 10_000)
        return Dictionary(grouping: all, by: \.state).mapValues(\.count)
    }

    /// Runs a transport and a deliverer while `body` runs; abruptly means cancelled, as by `kill -9`.
    func delivering(
        destinations: DestinationPolicy? = nil, abrupt: Bool = false,
        _ body: (WebhookDeliverer, WebhookSender) async throws -> Void
    ) async throws {
        let policy = try destinations ?? DestinationPolicy(allowedNetworks: ["127.0.0.0/8"], allowsPlainHTTP: true)
        let transport = HTTPTransport(HTTPTransportConfiguration(destinations: policy), logger: .silent)
        let sender = WebhookSender(transport: transport, limits: limits, logger: .silent)
        let deliverer = WebhookDeliverer(
            store: store, sender: sender,
            conversations: PostgresConversationSource(
                client: client, record: PostgresSessionRecord(client: client)),
            limits: limits, logger: .silent, notify: { [notices] user, text in notices.add(user, text) })
        let group = ServiceGroup(services: [deliverer], logger: .silent)
        await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await transport.run() }
            tasks.addTask { try await group.run() }
            do {
                try await body(deliverer, sender)
            } catch {
                Issue.record(error)
            }
            if !abrupt {
                await group.triggerGracefulShutdown()
                _ = await tasks.nextResult()
            }
            tasks.cancelAll()
            while await tasks.nextResult() != nil {}
        }
    }
}
