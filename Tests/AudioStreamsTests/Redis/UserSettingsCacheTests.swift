import AudioStreams
import EarshotModel
import RedisClient
import TestSupport
import Testing

@Suite("Settings of users, kept by workers")
struct UserSettingsCacheTests {
    @Test("Kept settings are forgotten when a change is announced")
    func announced() async throws {
        try await RedisFleet.with { fleet in
            let user = TestSession(user: "u1").user
            let cache = UserSettingsCache(handOff: fleet.handOff, limits: fleet.limits)
            let subscription = SettingsSubscription(
                configuration: fleet.configuration, keys: fleet.keys,
                eventLoop: RedisFleet.eventLoop, logger: RedisFleet.logger
            ) { user in
                cache.forget(user)
            }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await subscription.run() }
                #expect(try await cache.settings(of: user, in: Partition(7)).revision == 0)
                _ = try await fleet.handOff.project(UserSettings(revision: 3), of: user, in: Partition(7))
                try await eventually("the new settings") {
                    // Announced again until the subscription stands: before, nobody listens.
                    _ = try await fleet.handOff.project(UserSettings(revision: 3), of: user, in: Partition(7))
                    return try await cache.settings(of: user, in: Partition(7)).revision == 3
                }
                tasks.cancelAll()
            }
        }
    }

    @Test("However many want them at once, they are looked up once")
    func singleFlight() async throws {
        let server = try RedisServer.started(options: ["--appendonly", "no"])
        try await RedisFleet.with(server.configuration) { fleet in
            let cache = UserSettingsCache(handOff: fleet.handOff, limits: fleet.limits)
            let user = TestSession(user: "u1").user
            server.freeze()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<20 {
                    tasks.addTask { _ = try await cache.settings(of: user, in: Partition(0)) }
                }
                server.thaw()
                try await tasks.waitForAll()
            }
            let statistics = try await fleet.client.execute(RedisCommand("INFO", "commandstats")).string ?? ""
            #expect(statistics.contains("cmdstat_hget:calls=1,"))
        }
        server.kill()
    }

    @Test("Without an announcement settings are kept, and old ones are read again")
    func age() async throws {
        let handOff = InMemoryHandOff(limits: Limits())
        let user = TestSession(user: "u1").user
        var limits = Limits()
        let patient = UserSettingsCache(handOff: handOff, limits: limits)
        limits.settingsCacheAge = .zero
        let impatient = UserSettingsCache(handOff: handOff, limits: limits)
        for cache in [patient, impatient] { _ = try await cache.settings(of: user, in: Partition(0)) }
        _ = try await handOff.project(UserSettings(revision: 1), of: user, in: Partition(0))
        #expect(try await patient.settings(of: user, in: Partition(0)).revision == 0)
        #expect(try await impatient.settings(of: user, in: Partition(0)).revision == 1)
        patient.forget(user)
        #expect(try await patient.settings(of: user, in: Partition(0)).revision == 1)
    }
}
