import EarshotModel
import Synchronization
import Testing
import WebhookDelivery

@Suite struct DirectoryTests {
    private func user(_ name: String) throws -> UserID { try #require(UserID(name)) }

    @Test("An owner is looked up once, also by many at the same time, until a notice or its age")
    func singleFlight() async throws {
        let looks = Mutex(0)
        var limits = DeliveryLimits()
        limits.ownersMaximum = 8
        let directory = EndpointDirectory(limits: limits) { _ in
            looks.withLock { $0 += 1 }
            await Task.yield()
            return []
        }
        let alice = try user("alice")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<100 { tasks.addTask { _ = try await directory.endpoints(of: alice) } }
            try await tasks.waitForAll()
        }
        #expect(looks.withLock(\.self) == 1)
        directory.forget(alice)
        _ = try await directory.endpoints(of: alice)
        _ = try await directory.endpoints(of: alice)
        #expect(looks.withLock(\.self) == 2)
        for index in 0..<20 { _ = try await directory.endpoints(of: try user("u\(index)")) }
        _ = try await directory.endpoints(of: alice)
        #expect(looks.withLock(\.self) == 23, "the oldest of eight was forgotten")
    }

    @Test("What a look-up finds after a notice is not kept")
    func overtaken() async throws {
        let directory = Mutex<EndpointDirectory?>(nil)
        let looks = Mutex(0)
        let alice = try user("alice")
        let made = EndpointDirectory(limits: DeliveryLimits()) { user in
            let count = looks.withLock { looks in
                looks += 1
                return looks
            }
            if count == 1 { directory.withLock(\.self)?.forget(user) }
            return []
        }
        directory.withLock { $0 = made }
        _ = try await made.endpoints(of: alice)
        _ = try await made.endpoints(of: alice)
        #expect(looks.withLock(\.self) == 2)
    }

    @Test("A failure is told and not kept")
    func failure() async throws {
        let looks = Mutex(0)
        let directory = EndpointDirectory(limits: DeliveryLimits()) { _ throws(WebhookError) in
            let count = looks.withLock { looks in
                looks += 1
                return looks
            }
            guard count > 1 else { throw WebhookError(.unavailable, "away") }
            return []
        }
        let alice = try user("alice")
        await #expect(throws: WebhookError.self) { try await directory.endpoints(of: alice) }
        #expect(try await directory.endpoints(of: alice).isEmpty)
    }
}
