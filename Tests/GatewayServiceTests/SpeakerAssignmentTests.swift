import AudioStreams
import EarshotClient
import EarshotModel
import TestSupport
import Testing

@Suite struct SpeakerAssignmentTests {
    @Test("An assignment of a device whose audio is stored asks for a sample; others do not")
    func assignments() async throws {
        var limits = Limits()
        limits.speakerAssignmentsMaximum = 2
        try await GatewayHarness.with(limits: limits) { harness in
            let user = try #require(UserID("alice"))
            _ = try await harness.fleet.handOff.project(
                UserSettings(revision: 1, isStorageOn: true), of: user, in: harness.partition(of: "alice"))
            let connection = try await harness.connect()
            for person in ["user", "p1", "p2", "p3"] {
                try await connection.send(
                    text: #"{"type":"speaker_assigned","speaker_id":1,"person_id":"\#(person)","#
                        + #""person_name":"Bo","segment_ids":["s1"]}"#)
            }
            await connection.close(code: 1000)
            _ = try await harness.untilOver(1)
            let requests = try await harness.sampleRequests(of: "alice")
            #expect(requests.map(\.person) == ["p1", "p2"])
            #expect(requests.first?.personName == "Bo")
            #expect(requests.first?.conversation == (try await harness.sessions(of: "alice")).first?.conversation)

            let other = try await harness.connect(user: "bob")
            try await other.send(
                text: #"{"type":"speaker_assigned","person_id":"p1","segment_ids":["s1"]}"#)
            await other.close(code: 1000)
            _ = try await harness.untilOver(1, of: "bob")
            #expect(try await harness.sampleRequests(of: "bob").allSatisfy { $0.uid != "bob" })
        }
    }
}
