import Testing

@testable import ServiceBootstrap

@Suite("The health registry")
struct HealthRegistryTests {
    @Test("Expected checks are not ready until they say so")
    func expected() {
        let health = HealthRegistry()
        #expect(health.isReady)
        health.expect("redis", "listener")
        #expect(!health.isReady)
        health.setReady("redis", true)
        #expect(!health.isReady)
        health.setReady("listener", true)
        #expect(health.isReady)
        health.setReady("redis", false, reason: "connection refused")
        #expect(!health.isReady)
        #expect(health.checks.map(\.reason) == ["", "connection refused"])
        // Declaring again takes nothing back.
        health.expect("listener")
        #expect(health.checks.map(\.isReady) == [true, false])
    }

    @Test("A shutdown is never ready again")
    func shutdown() {
        let health = HealthRegistry()
        health.beginShutdown()
        health.setReady("redis", true)
        #expect(!health.isReady)
        #expect(health.readinessJSON.contains(#""shutting_down":true"#))
    }

    @Test("Ailments name the probe that found them")
    func probes() {
        let health = HealthRegistry()
        health.addLivenessProbe("loops") { nil }
        #expect(health.ailments.isEmpty)
        health.addLivenessProbe("worker") { "no progress for 120 s" }
        #expect(health.ailments == ["worker: no progress for 120 s"])
    }
}
