import EarshotClient
import Foundation
import NIOPosix
import TestSupport
import Testing

/// The ledger of a real fleet, from a device to the rows of its stored parts.
@Suite(.serialized, .timeLimit(.minutes(10))) struct LedgerTests {
    /// What `earshot audit --json` says on a line.
    private struct Report: Decodable {
        let sessionId: String?
        let sessions: Int
        let messages: UInt64
        let stored: UInt64
        let notWanted: UInt64
        let inFlight: [String: UInt64]
        let unaccounted: UInt64
        let lost: [String: UInt64]

        /// The totals as the coordinators' gauges show them, once everything is through.
        var gauges: [String: UInt64] {
            [
                "earshot_ledger_sessions": UInt64(sessions),
                "earshot_ledger_messages{state=\"stored\"}": stored,
                "earshot_ledger_messages{state=\"not_stored\"}": notWanted,
                "earshot_ledger_messages{state=\"in_flight\"}": inFlight.values.reduce(0, +),
                "earshot_ledger_messages{state=\"unaccounted\"}": unaccounted,
                "earshot_ledger_messages_lost{reason=\"not_resent\"}": lost["not_resent"] ?? 0,
            ]
        }
    }

    /// What the fleet's metrics say of the ledger, without whose they are: there is one coordinator.
    private func gauges(_ fleet: FleetProcess) async throws -> [String: UInt64] {
        var gauges: [String: UInt64] = [:]
        for line in try await HTTPGet.text("\(fleet.ready.admin)/metrics").split(separator: "\n") {
            let words = line.replacing(/role="[^"]*",node="[^"]*",?/, with: "").replacing("{}", with: "")
                .split(separator: " ")
            guard words[0].hasPrefix("earshot_ledger_"), !words[0].hasSuffix("_total"),
                let value = words.last.flatMap({ Double($0) })
            else { continue }
            gauges[String(words[0])] = UInt64(exactly: value)
        }
        return gauges
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    private func reports(_ text: String) throws -> [Report] {
        try text.split(separator: "\n").filter { $0.hasPrefix("{") }.map {
            try Self.decoder.decode(Report.self, from: Data($0.utf8))
        }
    }

    private struct Session: Decodable {
        let sessionId: String
        let uid: String
        let endedAt: String?
    }

    private struct Listing: Decodable { let sessions: [Session] }

    private func session(of user: String, in fleet: FleetProcess) async throws -> Session? {
        let told = try await fleet.earshot(["sessions", "--all", "--uid", user, "--json"])
        guard let line = told.text.split(separator: "\n").first(where: { $0.hasPrefix("{") }) else { return nil }
        return try Self.decoder.decode(Listing.self, from: Data(line.utf8)).sessions.first { $0.endedAt != nil }
    }

    private func send(_ user: String, to fleet: FleetProcess) async throws {
        let tone = (0..<32_000).map { Int16($0 % 40 * 200) }
        let stream = try DeviceStream(samples: tone, sampleRate: 16_000, codec: .pcm16)
        var configuration = DeviceSessionConfiguration(
            url: "\(fleet.ready.listen)/v4/listen?codec=pcm16&sample_rate=16000")
        configuration.authentication = .header(token: "dev:\(user)")
        configuration.speed = 0
        _ = try await DeviceSession(configuration, stream: stream).run(on: MultiThreadedEventLoopGroup.singleton)
    }

    @Test("Every message of a fleet is accounted for; a stored part whose row is gone is not")
    func audit() async throws {
        try await PostgresServerFixture.withDatabase { database in
            let url = database.server.url(database: database.name)
            let fleet = try await FleetProcess(arguments: ["--postgres-url", url])
            let changed = try await fleet.earshot(["user", "keeper", "--storage", "on"])
            try #require(changed.status == 0, "\(changed.text)")
            try await send("heard", to: fleet)
            // The settings follow within seconds; what was sent before them is not stored.
            let kept = try await eventually(within: .seconds(90), "a stored session") { () -> Report? in
                try await send("keeper", to: fleet)
                guard let session = try await session(of: "keeper", in: fleet) else { return nil }
                let told = try await fleet.earshot(["audit", session.sessionId, "--json"])
                let report = try reports(told.text).first
                return report.flatMap { $0.stored > 0 && $0.stored == $0.messages ? $0 : nil }
            }
            #expect(kept.unaccounted == 0)
            let heard = try #require(try await session(of: "heard", in: fleet))
            try await eventually(within: .seconds(60), "everything is through") {
                let total = try reports(try await fleet.earshot(["audit", "--all", "--json"]).text).last
                return total?.inFlight.isEmpty == true
            }
            let all = try await fleet.earshot(["audit", "--all", "--json"])
            #expect(all.status == 0, "\(all.text)")
            let total = try #require(try reports(all.text).last)
            #expect(total.sessionId == nil)
            #expect(total.sessions >= 2)
            #expect(total.unaccounted == 0)
            #expect(total.messages == total.stored + total.notWanted)
            let one = try reports(try await fleet.earshot(["audit", heard.sessionId, "--json"]).text)
            #expect(one.first?.notWanted == one.first?.messages)
            #expect((one.first?.messages ?? 0) > 0)

            try await eventually(within: .seconds(90), "the gauges show the totals") {
                try await gauges(fleet) == total.gauges
            }

            let id = try #require(kept.sessionId)
            let deleted = try await Tool.run(["psql", url, "-c", "DELETE FROM audio_parts WHERE session = '\(id)'"])
            try #require(deleted.status == 0, "\(deleted.text)")
            let holed = try await fleet.earshot(["audit", id, "--json"])
            #expect(holed.status == 1)
            #expect(try reports(holed.text).last?.unaccounted == kept.stored)
            let lacking = try #require(try reports(try await fleet.earshot(["audit", "--all", "--json"]).text).last)
            #expect(lacking.unaccounted == kept.stored)
            try await eventually(within: .seconds(90), "the gauges show what is lacking") {
                try await gauges(fleet) == lacking.gauges
            }
            // Only the registry remembers one whose row is gone.
            let gone = try await Tool.run(["psql", url, "-c", "DELETE FROM sessions WHERE id = '\(heard.sessionId)'"])
            try #require(gone.status == 0, "\(gone.text)")
            let rowless = try #require(try reports(try await fleet.earshot(["audit", "--all", "--json"]).text).last)
            #expect(rowless.unaccounted == kept.stored + (one.first?.messages ?? 0))
            let unknown = try await fleet.earshot(["audit", "018bcfe5-6800-7000-8000-000000000001"])
            #expect(unknown.status == 1)
            #expect(unknown.text.contains("knows session"), "\(unknown.text)")
            try await fleet.stop()
        }
    }
}
