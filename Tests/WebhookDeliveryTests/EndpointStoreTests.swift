import EarshotModel
import PostgresClient
import SessionRecord
import Testing
import WebhookDelivery

@Suite struct EndpointStoreTests {
    @Test("An endpoint comes back as it was, for its user and for the users of its app")
    func roundTrip() async throws {
        try await StoreFixture.with { fixture in
            let alice = try #require(UserID("alice"))
            let bob = try #require(UserID("bob"))
            let own = try await fixture.endpoint {
                $0.headers = ["X-Key": "a \"quoted\", {value}"]
                $0.isStrict = true
                $0.windowSeconds = 9
                $0.audioPolicy = .all
                $0.secrets.append(EndpointSecret(key: .newEd25519()))
            }
            let app = try await fixture.endpoint { $0.owner = .app("Note Taker") }
            try await fixture.endpoints.setUsers(ofApp: "Note Taker", adding: [alice, bob], removing: [])
            var found = try await fixture.endpoints.endpoints(of: alice)
            #expect(found.map(\.id) == [own.id, app.id])
            found[0].secrets.reverse()
            #expect(found[0].secrets == own.secrets)
            #expect(found[0].headers == own.headers)
            #expect((found[0].isStrict, found[0].windowSeconds, found[0].audioPolicy) == (true, 9, .all))
            #expect(try await fixture.endpoints.endpoints(of: bob).map(\.id) == [app.id])
            try await fixture.endpoints.setUsers(ofApp: "Note Taker", adding: [], removing: [bob])
            #expect(try await fixture.endpoints.endpoints(of: bob).isEmpty)
            #expect(try await fixture.endpoints.users(ofApp: "Note Taker", limit: 10) == ["alice"])
        }
    }

    @Test("Every change that concerns a user is noted, so that what is kept of it elsewhere is renewed")
    func changes() async throws {
        try await StoreFixture.with { fixture in
            func revision(_ uid: String) async throws -> Int {
                let rows = try await fixture.client.query("SELECT revision FROM settings_changes WHERE uid = \(uid)")
                return try rows.first?.decode("revision") ?? 0
            }
            let alice = try #require(UserID("alice"))
            let endpoint = try await fixture.endpoint { $0.events = [.audioBytes] }
            var last = try await revision("alice")
            #expect(last > 0)
            try await fixture.endpoints.rotate(endpoint.id, keep: .seconds(60), adding: [.newShared()])
            #expect(try await revision("alice") > last)
            last = try await revision("alice")
            try await fixture.endpoints.setUsers(ofApp: "App", adding: [alice], removing: [])
            #expect(try await revision("alice") > last)
            last = try await revision("alice")
            let app = try await fixture.endpoint { $0.owner = .app("App") }
            #expect(try await revision("alice") > last)
            last = try await revision("alice")
            try await fixture.endpoints.set(.disabled, reason: "test", of: app.id)
            #expect(try await revision("alice") > last)
            let settings = try await PostgresSettingsStore(client: fixture.client).settings(of: alice)
            #expect(settings.audioEndpoints.map(\.id) == [endpoint.id.description])
            let audio = try #require(settings.audioEndpoints.first)
            #expect(audio.secrets.count == 2)
            #expect((audio.concurrency, audio.rate) == (endpoint.concurrency, endpoint.rate))
            #expect(audio.secretExpiries.map { $0 == nil } == [true, false], "the old key ends")
            let expiry = try #require(audio.secretExpiries[1])
            #expect(audio.secrets(at: expiry - 1) == audio.secrets)
            #expect(audio.secrets(at: expiry) == [audio.secrets[0]])
            #expect(settings.flags.contains(.audioBytes))
        }
    }

    @Test("A rotation keeps the old key for a while, or revokes it at once")
    func rotation() async throws {
        try await StoreFixture.with { fixture in
            let endpoint = try await fixture.endpoint()
            let old = endpoint.secrets[0].key
            let new = SigningKey.newShared()
            func keys() async throws -> [SigningKey] {
                try #require(try await fixture.endpoints.endpoint(endpoint.id)).keys(at: WallClock.microseconds)
            }
            try await fixture.endpoints.rotate(endpoint.id, keep: .seconds(3_600), adding: [new])
            #expect(try await keys() == [new, old])
            let newest = SigningKey.newShared()
            try await fixture.endpoints.rotate(endpoint.id, keep: .zero, adding: [newest])
            #expect(try await keys() == [newest])
            for _ in 0..<9 {
                try await fixture.endpoints.rotate(endpoint.id, keep: .seconds(60), adding: [.newShared()])
            }
            let error = await #expect(throws: WebhookError.self) {
                try await fixture.endpoints.rotate(endpoint.id, keep: .seconds(60), adding: [.newShared()])
            }
            #expect(error?.code == .conflict)
            await #expect(throws: WebhookError.self) {
                try await fixture.endpoints.rotate(UniqueID(high: 0, low: 1), keep: .zero, adding: [])
            }
        }
    }

    @Test("An owner has at most twenty endpoints")
    func bounded() async throws {
        try await StoreFixture.with { fixture in
            for _ in 0..<20 { _ = try await fixture.endpoint() }
            let error = await #expect(throws: WebhookError.self) { _ = try await fixture.endpoint() }
            #expect(error?.code == .invalidEndpoint)
            _ = try await fixture.endpoint("bob")
        }
    }
}
