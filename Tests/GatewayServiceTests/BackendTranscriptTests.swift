import EarshotClient
import EarshotModel
import TestSupport
import Testing

@Suite struct BackendTranscriptTests {
    private let start = 1_700_000_000.0

    @Test("Transcripts become events of their conversation, once each and in order")
    func transcripts() async throws {
        var limits = Limits()
        limits.backendEventSegmentsMaximum = 2
        try await GatewayHarness.withDoor(limits: limits) { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(
                102,
                #"{"memory_id": "c1", "segments": [{"id": "a", "text": "1"}, {"text": "2"}, {"text": "3", "x": {}}]}"#)
            try await peer.send(102, #"{"memory_id": null, "segments": [{"id": "a", "text": "1 grown"}]}"#)
            await peer.connection.close(code: 1000)
            let sessions = try await harness.untilOver(1)
            #expect(sessions.map(\.conversation) == ["c1"])
            let events = try await harness.events(of: "alice", .transcriptSegments)
            #expect(events.map { $0.segments?.map(\.text) } == [["1", "2"], ["3"], ["1 grown"]])
            #expect(events.map(\.firstSegment) == [0, 2, 3])
            #expect(events.allSatisfy { $0.conversation == "c1" && $0.session == sessions[0].session })
            #expect(Set(events.map(\.id)).count == 3)
            #expect(zip(events, events.dropFirst()).allSatisfy { $0.ordinal < $1.ordinal })
            let ids = events.flatMap { $0.segments ?? [] }.map(\.id)
            #expect(ids.first == "a")
            #expect(ids.last == "a")
            #expect(Set(ids).count == 3)
        }
    }

    @Test("A 104 completes the conversation behind its audio, and is answered again whenever it is asked again")
    func process() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c1")
            try await peer.audio(start, value: 1)
            let request = #"{"conversation_id": "c1", "language": "en", "byok_keys": {"openai": "secret"}}"#
            try await peer.send(104, request)
            #expect(await peer.next()?.text == #"{"conversation_id": "c1", "success": true}"#)
            let sessions = try await harness.untilOver(1)
            #expect(try await harness.audio(of: sessions[0]) == BackendPeer.pcm(1_600, 1))
            try await peer.send(104, request)
            try await peer.send(104, request)
            // Audio that follows without another 103 belongs to the conversation announced last.
            try await peer.audio(start + 1, value: 2)
            await peer.connection.close()
            let again = try await BackendPeer.connect(harness)
            try await again.send(
                104,
                #"{"conversation_id": "c1", "finalization_job_id": "j", "dispatch_generation": 2, "language": "en"}"#)
            #expect(
                await again.next()?.text
                    == #"{"conversation_id": "c1", "success": true, "dispatch_generation": 2}"#)
            let all = try await harness.untilOver(2)
            #expect(all.map(\.conversation) == ["c1", "c1"])
            #expect(try await harness.audio(of: all[1]) == BackendPeer.pcm(1_600, 2))
        }
    }

    @Test("A 104 of a conversation that never was, or never can be, is answered so")
    func processUnknown() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            for id in ["never", "../never"] {
                try await peer.send(104, #"{"conversation_id": "\#(id)"}"#)
                #expect(
                    await peer.next()?.text
                        == #"{"conversation_id": "\#(id)", "error": "conversation_not_found", "terminal": true}"#)
            }
        }
    }

    @Test("A 105 queues a request for a sample")
    func sample() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(105, #"{"person_id": "p1", "conversation_id": "c1", "segment_ids": ["s1", "s2"]}"#)
            let requests = try await eventually("the request") {
                let requests = try await harness.sampleRequests(of: "alice")
                return requests.isEmpty ? nil : requests
            }
            #expect(requests.count == 1)
            #expect(requests[0].uid == "alice")
            #expect(requests[0].person == "p1")
            #expect(requests[0].conversation == "c1")
            #expect(requests[0].segments == ["s1", "s2"])
        }
    }

    @Test("Between generations: what breaks a rule is passed over, and the session goes on")
    func tolerant() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c1")
            for (opcode, payload) in [
                (UInt32(7), ""), (201, "{}"), (101, "short"), (102, "[]"), (102, "{"), (104, "{}"), (105, "[]"),
            ] {
                try await peer.send(opcode, payload)
            }
            try await peer.connection.send(binary: [1, 2])
            try await peer.connection.send(text: "text")
            try await peer.audio(.nan, value: 1)
            try await peer.audio(start, value: 2)
            await peer.connection.close(code: 1000)
            let sessions = try await harness.untilOver(1)
            #expect(sessions.map(\.conversation) == ["c1"])
            let expected = BackendPeer.pcm(1_600, 1) + BackendPeer.pcm(1_600, 2)
            #expect(try await harness.audio(of: sessions[0]) == expected)
        }
    }

    @Test("Between generations a 104 is read by its conversation alone, whatever the types of what came later")
    func tolerantProcess() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c1")
            for field in ["language", "byok_keys", "finalization_job_id", "dispatch_generation"] {
                try await peer.send(104, #"{"conversation_id": "c1", "\#(field)": [5]}"#)
                #expect(await peer.next()?.text == #"{"conversation_id": "c1", "success": true}"#)
            }
            try await peer.send(104, #"{"conversation_id": "c1", "language": null, "byok_keys": {"openai": "k"}}"#)
            #expect(await peer.next()?.text == #"{"conversation_id": "c1", "success": true}"#)
        }
    }

    @Test("Between generations, too, whoever cannot name its conversation does not go on with the one before")
    func unnamed() async throws {
        try await GatewayHarness.withDoor { harness in
            for (index, id) in [Array("a/b".utf8), Array(".hidden".utf8), [0xFF]].enumerated() {
                let peer = try await BackendPeer.connect(harness)
                try await peer.send(103, "c\(index)")
                try await peer.audio(start, value: 1)
                try await peer.send(103, id)
                // The close may be quicker.
                try? await peer.audio(start + 0.1, value: 2)
                let closed = await peer.untilClosed()
                #expect(closed.code == 1003)
                #expect(!closed.reason.isEmpty)
                let sessions = try await harness.untilOver(index + 1)
                #expect(sessions[index].conversation == "c\(index)")
                #expect(try await harness.audio(of: sessions[index]) == BackendPeer.pcm(1_600, 1))
            }
        }
    }

    @Test("A transcript of a conversation nobody announced makes it known: it has a session, and a 104 completes it")
    func unannounced() async throws {
        try await GatewayHarness.withDoor { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c2")
            try await peer.audio(start, value: 1)
            for (text, id) in [("one", "c1"), ("two", "c2"), ("three", "c1"), ("four", "c3")] {
                try await peer.send(102, #"{"segments": [{"text": "\#(text)"}], "memory_id": "\#(id)"}"#)
            }
            try await peer.audio(start + 0.1, value: 2)
            for id in ["c1", "c3"] {
                try await peer.send(104, #"{"conversation_id": "\#(id)"}"#)
                #expect(await peer.next()?.text == #"{"conversation_id": "\#(id)", "success": true}"#)
            }
            await peer.connection.close(code: 1000)
            let sessions = try await harness.untilOver(3)
            #expect(sessions.map(\.conversation) == ["c2", "c1", "c3"])
            #expect(
                try await harness.audio(of: sessions[0]) == [1, 2].flatMap { BackendPeer.pcm(1_600, $0) },
                "the audio stays where it was announced")
            let events = try await harness.events(of: "alice", .transcriptSegments)
            #expect(events.map { $0.segments?.first?.text } == ["one", "two", "three", "four"])
            #expect(events.map(\.conversation) == ["c1", "c2", "c1", "c3"])
            #expect(events.first?.session == sessions[1].session)
        }
    }

    @Test(
        "The newest generation: what breaks a rule is closed with 1003, and what came before is kept",
        arguments: [
            BackendPeer.message(106, []), [1, 2], BackendPeer.message(101, [1, 2, 3]),
            BackendPeer.message(102, Array("[]".utf8)), BackendPeer.message(102, Array(#"{"segments":["x"]}"#.utf8)),
            BackendPeer.message(103, [0xFF]), BackendPeer.message(104, Array(#"{"conversation_id":1}"#.utf8)),
            BackendPeer.message(104, Array(#"{"conversation_id":"c1","language":5}"#.utf8)),
            BackendPeer.message(104, Array(#"{"conversation_id":"c1","byok_keys":{"openai":1}}"#.utf8)),
            BackendPeer.message(101, BackendPeer.stamp(.infinity)),
        ])
    func strict(message: [UInt8]) async throws {
        try await GatewayHarness.withDoor(isStrict: true) { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c1")
            try await peer.audio(start, value: 1)
            try await peer.connection.send(binary: message)
            #expect(await peer.untilClosed().code == 1003)
            let sessions = try await harness.untilOver(1)
            #expect(try await harness.audio(of: sessions[0]) == BackendPeer.pcm(1_600, 1))
            #expect(try await harness.untilEnded("alice") == .protocolError)
        }
    }

    @Test("A transcript that is too large is closed with 1009")
    func tooLarge() async throws {
        var limits = Limits()
        limits.backendJSONBytesMaximum = 1_000
        try await GatewayHarness.withDoor(limits: limits) { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c1")
            try await peer.audio(start, samples: 1_600)
            try await peer.send(102, "{" + String(repeating: " ", count: 1_000) + "}")
            #expect(await peer.untilClosed().code == 1009)
            let sessions = try await harness.untilOver(1)
            #expect(try await harness.audio(of: sessions[0]) == BackendPeer.pcm(1_600, 1))
        }
    }

    @Test("The newest generation wants a durable job behind a 104, and text is no message")
    func strictProcess() async throws {
        try await GatewayHarness.withDoor(isStrict: true) { harness in
            let peer = try await BackendPeer.connect(harness)
            try await peer.send(103, "c1")
            try await peer.send(104, #"{"conversation_id": "c1", "language": "en"}"#)
            #expect(
                await peer.next()?.text
                    == #"{"conversation_id": "c1", "error": "durable_job_required", "terminal": true}"#)
            try await peer.send(
                104,
                #"{"conversation_id":"c1","finalization_job_id":"j","dispatch_generation":1,"#
                    + #""finalization_result_protocol":2}"#)
            #expect(
                await peer.next()?.text
                    == #"{"conversation_id": "c1", "success": true, "dispatch_generation": 1}"#)
            try await peer.connection.send(text: "text")
            #expect(await peer.untilClosed().code == 1003)
        }
    }
}
