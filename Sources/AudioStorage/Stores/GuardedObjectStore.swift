package import HTTPTransport
import Synchronization

/// Spares a store that is away: after some failures in a row calls fail at once, but for one trial now and then.
///
/// Hundreds of lanes wait for the same store; without this each would encode its part again for every attempt. A
/// refusal is no failure here: it may concern one user's prefix only.
package final class GuardedObjectStore: ObjectStore {
    private let store: any ObjectStore
    private let breaker: Mutex<CircuitBreaker>

    /// When a store's breaker opens: at once asked again, then every 15 s at most, because audio waits in Redis.
    package static var policy: CircuitBreaker.Policy {
        var policy = CircuitBreaker.Policy()
        policy.openDuration = .seconds(1)
        policy.openDurationMaximum = .seconds(15)
        // A large object in its parts takes longer than a transfer's time-out.
        policy.trialDuration = .seconds(300)
        return policy
    }

    /// Guards a store.
    package init(_ store: any ObjectStore, policy: CircuitBreaker.Policy = GuardedObjectStore.policy) {
        self.store = store
        breaker = Mutex(CircuitBreaker(policy))
    }

    package func checkAvailable() throws(ObjectStoreError) {
        guard breaker.withLock({ $0.state(now: .now) }) != .open else { throw Self.away }
    }

    package func put(
        _ bytes: [UInt8], at key: ObjectKey, contentType: String, condition: PutCondition
    ) async throws(ObjectStoreError) {
        try await guarded { store throws(ObjectStoreError) in
            try await store.put(bytes, at: key, contentType: contentType, condition: condition)
        }
    }

    package func get(_ key: ObjectKey, bytesMaximum: Int) async throws(ObjectStoreError) -> [UInt8] {
        try await guarded { store throws(ObjectStoreError) in try await store.get(key, bytesMaximum: bytesMaximum) }
    }

    package func size(of key: ObjectKey) async throws(ObjectStoreError) -> Int? {
        try await guarded { store throws(ObjectStoreError) in try await store.size(of: key) }
    }

    package func list(
        prefix: String, after: ObjectKey?, limit: Int
    ) async throws(ObjectStoreError) -> ObjectPage {
        try await guarded { store throws(ObjectStoreError) in
            try await store.list(prefix: prefix, after: after, limit: limit)
        }
    }

    package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
        try await guarded { store throws(ObjectStoreError) in try await store.delete(key) }
    }

    private func guarded<Value: Sendable>(
        _ body: (any ObjectStore) async throws(ObjectStoreError) -> Value
    ) async throws(ObjectStoreError) -> Value {
        guard case .admitted(let ticket) = breaker.withLock({ $0.admit(now: .now) }) else { throw Self.away }
        do throws(ObjectStoreError) {
            let value = try await body(store)
            breaker.withLock { $0.report(.success, of: ticket, now: .now) }
            return value
        } catch {
            let outcome: CircuitBreaker.Outcome =
                switch error.code {
                case _ where Task.isCancelled: .inconclusive
                case .unavailable, .clockSkew: .failure
                case .refused: .inconclusive
                case .notFound, .exists, .invalidKey, .tooLarge, .corrupt, .unsupported: .success
                }
            breaker.withLock { $0.report(outcome, of: ticket, now: .now) }
            throw error
        }
    }

    private static let away = ObjectStoreError(
        .unavailable, "the object store failed several times; it is tried again soon")
}
