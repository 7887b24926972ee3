import AudioCodecs
import EarshotClient
import Foundation
import NIOPosix
import TestSupport
import Testing

/// The whole product as its users run it: real processes, real engine, real servers.
@Suite(.serialized) struct FirstLightTests {
    private static let librivox =
        "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0880.wav"

    /// A sentence of 3 s and a pause of 1 s, again and again, at 16 kHz.
    private func recording(_ sentences: Int) throws -> [Int16] {
        let sentence = try WAVFile(path: Self.librivox).samples + [Int16](repeating: 0, count: 16_000)
        return (0..<sentences).flatMap { _ in sentence }
    }

    func device(
        _ fleet: FleetProcess, user: String, codec: DeviceCodec, speed: Double, sentences: Int = 3,
        quiet: Duration = .seconds(12), watch: WordWatch? = nil
    ) async throws -> DeviceReport {
        let stream = try DeviceStream(
            samples: try recording(sentences), sampleRate: 16_000, codec: codec, wireSampleRate: 16_000)
        var configuration = DeviceSessionConfiguration(
            url: "\(fleet.ready.listen)/v4/listen?codec=\(codec.rawValue)&sample_rate=16000")
        configuration.authentication = .header(token: "dev:\(user)")
        configuration.speed = speed
        configuration.linger = .quiet(quiet, atMost: .seconds(120))
        configuration.observer = watch?.observe
        return try await DeviceSession(configuration, stream: stream).run(on: MultiThreadedEventLoopGroup.singleton)
    }

    @Test("A device's words come back live, stand in the record, and Ctrl-C leaves nothing behind")
    func words() async throws {
        let fleet = try await FleetProcess()
        let report = try await device(fleet, user: "alice", codec: .opusFS320, speed: 2)
        #expect(report.closeCode == 1000)
        #expect(report.transcript.segments.count >= 3)
        let spoken = report.transcript.text.lowercased()
        #expect(!spoken.isEmpty)
        let session = try #require(report.events.compactMap { $0.sessionID }.first)
        try await eventually("the session's end in the record") {
            let listed = try await fleet.earshot(["sessions", "--all", "--json"])
            return listed.status == 0 && listed.text.contains(session) && listed.text.contains("client_closed")
        }
        for form in [[], ["--json"]] {
            let unknown = try await fleet.earshot(["sessions", "0190a0b0-0000-7000-8000-000000000000"] + form)
            #expect(unknown.status == 1 && unknown.text.contains("the record has no session"))
        }
        let shown = try await fleet.earshot(["sessions", session])
        #expect(shown.status == 0)
        for segment in report.transcript.segments { #expect(shown.text.contains(segment.text)) }
        try await fleet.stop()
    }

    @Test("Killing the worker that hears the stream, three times, changes no word and doubles none")
    func killedWorkers() async throws {
        let fleet = try await FleetProcess(workers: "transcript=2")
        let undisturbed = try await device(fleet, user: "calm", codec: .pcm16, speed: 4)
        async let disturbed = device(fleet, user: "storm", codec: .pcm16, speed: 1, quiet: .seconds(25))
        for _ in 0..<3 {
            // The moments are random by the machine's pace: each kill waits until another one has gone on with it.
            let owner = try await eventually("a worker that hears the stream") {
                try await fleet.worker("transcript", of: 2)
            }
            kill(owner, SIGKILL)
        }
        let report = try await disturbed
        #expect(report.transcript.segments.map(\.text) == undisturbed.transcript.segments.map(\.text))
        #expect(Set(report.transcript.segments.map(\.id)).count == report.transcript.segments.count)
        try await fleet.stop()
    }

    @Test("Redis and Postgres killed in mid-stream: no word is lost, and the record catches up")
    func killedStores() async throws {
        let fleet = try await FleetProcess()
        let undisturbed = try await device(fleet, user: "calm", codec: .opus, speed: 4)
        async let disturbed = device(fleet, user: "storm", codec: .opus, speed: 1, quiet: .seconds(25))
        try await eventually("the session in the record") {
            try await fleet.earshot(["sessions", "--json"]).text.contains("storm")
        }
        try await fleet.replace("postgres")
        try await fleet.replace("redis")
        let report = try await disturbed
        #expect(report.transcript.segments.map(\.text) == undisturbed.transcript.segments.map(\.text))
        let session = try #require(report.events.compactMap { $0.sessionID }.first)
        try await eventually("the whole transcript in the record") {
            let shown = try await fleet.earshot(["sessions", session]).text
            return report.transcript.segments.allSatisfy { shown.contains($0.text) }
        }
        try await fleet.stop()
    }

    @Test("A killed gateway's sessions are ended with the reason, and what was said is kept")
    func killedGateway() async throws {
        let fleet = try await FleetProcess()
        async let cut = device(fleet, user: "alice", codec: .opus, speed: 1)
        try await eventually("the session in the record") {
            try await fleet.earshot(["sessions", "--json"]).text.contains("alice")
        }
        try await fleet.replace("gateway")
        _ = try? await cut
        try await eventually("the end of the session") {
            try await fleet.earshot(["sessions", "--all", "--json"]).text.contains("gateway_dead")
        }
        try await fleet.stop()
    }
}

extension DeviceEvent {
    /// The session a `conversation_session` names.
    var sessionID: String? {
        let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        return object?["recording_session_id"] as? String
    }
}
