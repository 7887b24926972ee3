import EarshotClient
import Foundation
import TestSupport
import Testing

/// Stores and supervisors that are away for a while, with a device in mid-stream.
extension FirstLightTests {
    /// Lets time pass: what is tested is how long something was away.
    private func pass(_ duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        try await eventually("\(duration)") { ContinuousClock.now >= end }
    }

    /// What `earshot sessions --json` prints, of which this asks for little.
    private struct Listing: Decodable {
        struct Session: Decodable {
            let sessionId: String
            let audioSeconds: Double?
        }

        let sessions: [Session]
    }

    @Test("Redis stopped for 10 s in mid-stream: no audio is lost")
    func heldRedis() async throws {
        let fleet = try await FleetProcess()
        let undisturbed = try await device(fleet, user: "calm", codec: .pcm16, speed: 4, sentences: 6)
        let watch = WordWatch()
        async let disturbed = device(
            fleet, user: "storm", codec: .pcm16, speed: 1, sentences: 6, quiet: .seconds(25), watch: watch)
        try await eventually("the first words") { watch.segmentCount > 0 }
        let redis = try #require(try await fleet.pids()["redis"]?.first)
        #expect(kill(redis, SIGSTOP) == 0)
        try await pass(.seconds(10))
        #expect(kill(redis, SIGCONT) == 0)
        let report = try await disturbed
        #expect(report.closeCode == 1000)
        #expect(report.outcome == .completed)
        // The utterance that was open may be cut where nothing came for so long; all others are the same words.
        let words = undisturbed.transcript.segments.map(\.text)
        let heard = report.transcript.segments.map(\.text)
        let before = zip(words, heard).prefix { $0 == $1 }.count
        let behind = zip(words.reversed(), heard.reversed()).prefix { $0 == $1 }.count
        #expect(before + behind >= words.count - 1, "\(heard), undisturbed \(words)")
        let sessions = try [report, undisturbed].map { try #require($0.events.compactMap { $0.sessionID }.first) }
        let seconds = try await eventually("both ends in the record") { () -> [Double]? in
            let listed = try await fleet.earshot(["sessions", "--all", "--json"]).text
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            let listing = try decoder.decode(Listing.self, from: Data(listed.utf8))
            let known = sessions.compactMap { id in listing.sessions.first { $0.sessionId == id }?.audioSeconds }
            return known.count == 2 ? known : nil
        }
        #expect(seconds[0] == seconds[1])
        #expect(try await fleet.pids()["redis"] == [redis])
        try await fleet.stop()
    }

    @Test("Postgres stopped for 10 s in mid-stream: words go on coming, and the record catches up")
    func heldPostgres() async throws {
        let fleet = try await FleetProcess()
        let watch = WordWatch()
        async let streaming = device(fleet, user: "alice", codec: .opus, speed: 1, sentences: 6, watch: watch)
        try await eventually("the first words") { watch.segmentCount > 0 }
        let postgres = ProcessFamily(of: try #require(try await fleet.pids()["postgres"]?.first))
        postgres.send(SIGSTOP)
        let before = watch.segmentCount
        let start = ContinuousClock.now
        try await eventually("words while Postgres is away") { watch.segmentCount > before }
        try await pass(.seconds(10) - start.duration(to: .now))
        postgres.send(SIGCONT)
        let report = try await streaming
        #expect(report.closeCode == 1000)
        #expect(report.transcript.segments.count >= 6)
        let session = try #require(report.events.compactMap { $0.sessionID }.first)
        try await eventually(within: .seconds(120), "the whole transcript in the record") {
            let shown = try await fleet.earshot(["sessions", session]).text
            return report.transcript.segments.allSatisfy { shown.contains($0.text) }
        }
        try await eventually("the session's end in the record") {
            try await fleet.earshot(["sessions", "--all", "--json"]).text.contains("client_closed")
        }
        try await fleet.stop()
    }

    @Test("After a kill -9 of the supervisor a second start leaves no old process and finds what was said")
    func killedSupervisor() async throws {
        let first = try await FleetProcess()
        let watch = WordWatch()
        async let cut = device(first, user: "alice", codec: .opus, speed: 1, sentences: 10, watch: watch)
        try await eventually("two utterances") { watch.segmentCount > 1 }
        let old = try await first.pids().values.flatMap { $0 }
        first.killSupervisor()
        #expect(old.filter(ProcessFamily.isAlive) == old)
        let second = try await FleetProcess(directory: first.directory)
        #expect(old.filter(ProcessFamily.isAlive) == [])
        let report = try await cut
        #expect(report.outcome == .endedByServer)
        let session = try #require(report.events.compactMap { $0.sessionID }.first)
        try await eventually("the session's end in the record") {
            let listed = try await second.earshot(["sessions", "--all", "--json"]).text
            return listed.contains(session) && listed.contains("ended_at")
        }
        // The last one may have been interim when the connection was cut; the words before it were not.
        let words = report.transcript.segments.dropLast()
        #expect(!words.isEmpty)
        try await eventually("what was said in the record") {
            let shown = try await second.earshot(["sessions", session]).text
            return words.allSatisfy { shown.contains($0.text) }
        }
        let next = try await device(second, user: "bob", codec: .opus, speed: 4)
        #expect(next.transcript.segments.count >= 3)
        try await second.stop()
    }
}
