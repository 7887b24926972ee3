import AudioStreams
import EarshotModel
import NIOCore
import TestSupport
import Testing

@Suite("Hand-off: sessions")
struct SessionConformanceTests {
    private let minute: Int64 = 60_000_000

    @Test(
        "Registering again with the same nonce changes nothing; another nonce is refused", arguments: Backend.allCases)
    func idempotent(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            let registration = session.registration()
            let first = try await test.handOff.register(registration, in: test.partition)
            #expect(try await test.handOff.register(registration, in: test.partition) == first)
            #expect(!first.continuesConversation)
            #expect(first.conversationStart == session.startedAt)
            let refusal = await handOffError { _ = try await test.register(session) }
            #expect(refusal?.code == .refused)
            #expect(try await test.events().count == 1)
            #expect(try await test.session(session)?.epoch == first.epoch)
        }
    }

    @Test("The registry keeps what the session was opened with", arguments: Backend.allCases)
    func parameters(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            var registration = session.registration()
            registration.parameters = SessionParameters(
                codec: .pcm16, sampleRate: 48_000, language: "de", conversationTimeout: 300, source: "phone \"x\" é",
                flags: [.transcript, .privateCloud])
            let grant = try await test.handOff.register(registration, in: test.partition)
            let known = try #require(try await test.session(session))
            #expect(known.parameters == registration.parameters)
            #expect(known.user == session.user && known.gateway == session.gateway)
            #expect(known.conversation == grant.conversation && known.startedAt == session.startedAt)
            #expect(known.end == nil && known.endReason == nil && !known.isCompleted)
            #expect(known.progress == LaneProgress())
            #expect(try await test.session(TestSession(user: "u2")) == nil)
        }
    }

    @Test("session.started stands in the events with its conversation", arguments: Backend.allCases)
    func startedEvent(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            let grant = try await test.register(session)
            let entry = try #require(try await test.stream(.events).first)
            let event = try SessionEvent(json: entry.payload)
            #expect(event.type == .sessionStarted && event.session == session.id.description && event.uid == "u1")
            #expect(event.conversation == grant.conversation && event.conversationStart == grant.conversationStart)
            #expect(event.continuesConversation == false && event.codec == "opus" && event.sampleRate == 16_000)
        }
    }

    @Test("A live session shares its conversation, however old its last sign is", arguments: Backend.allCases)
    func sharedByLiveSession(backend: Backend) async throws {
        try await backend.run { test in
            let first = try await test.register(TestSession(user: "u1"))
            let later = TestSession(user: "u1", at: TestSession.epoch + 60 * minute)
            let second = try await test.register(later)
            #expect(second.conversation == first.conversation && second.continuesConversation)
            #expect(second.conversationStart == first.conversationStart)
            let stranger = try await test.register(TestSession(user: "u2"))
            #expect(stranger.conversation != first.conversation && !stranger.continuesConversation)
        }
    }

    @Test("A conversation goes on within its timeout and not after it", arguments: Backend.allCases)
    func timeout(backend: Backend) async throws {
        try await backend.run { test in
            let first = TestSession(user: "u1")
            let grant = try await test.register(first)
            let endedAt = TestSession.epoch + minute
            _ = try await test.handOff.end(first.ending(epoch: grant.epoch, at: endedAt), in: test.partition)
            let inTime = TestSession(user: "u1", at: endedAt + 2 * minute)
            let second = try await test.register(inTime)
            #expect(second.conversation == grant.conversation && second.continuesConversation)
            let endedAgain = inTime.startedAt + minute
            _ = try await test.handOff.end(inTime.ending(epoch: second.epoch, at: endedAgain), in: test.partition)
            let late = try await test.register(TestSession(user: "u1", at: endedAgain + 2 * minute + 1))
            #expect(late.conversation != grant.conversation && !late.continuesConversation)
            #expect(late.conversationStart == endedAgain + 2 * minute + 1)
        }
    }

    @Test(
        "A session knows the one that had joined its conversation last, and none in another",
        arguments: Backend.allCases)
    func before(backend: Backend) async throws {
        try await backend.run { test in
            let first = TestSession(user: "u1")
            let grant = try await test.register(first)
            let beside = TestSession(user: "u1")
            try await test.register(beside)
            let third = TestSession(user: "u1")
            let thirdRequest = third.registration()
            for _ in 0..<2 { _ = try await test.handOff.register(thirdRequest, in: test.partition) }
            #expect(try await test.session(first)?.before == nil)
            #expect(try await test.session(beside)?.before == first.id)
            #expect(try await test.session(third)?.before == beside.id, "asked twice, it is not before itself")
            // Who resumes goes on with the session it continues, whoever joined since.
            let resumed = TestSession(user: "u1")
            _ = try await test.handOff.register(resumed.resuming(first.id), in: test.partition)
            #expect(try await test.session(resumed)?.before == first.id)
            let stranger = TestSession(user: "u2")
            try await test.register(stranger)
            #expect(try await test.session(stranger)?.before == nil)
            _ = try await test.handOff.closeConversation(
                grant.conversation, of: first.user, in: test.partition, now: first.startedAt)
            let anew = TestSession(user: "u1")
            #expect(try await test.register(anew).conversation != grant.conversation)
            #expect(try await test.session(anew)?.before == nil)
            // One that goes on in a conversation that was over goes on with its speakers.
            let again = TestSession(user: "u1")
            var request = again.registration()
            request.boundConversation = grant.conversation
            _ = try await test.handOff.register(request, in: test.partition)
            #expect(try await test.session(again)?.before == resumed.id)
        }
    }

    @Test("Who resumes into another conversation than the one before is nobody's there", arguments: Backend.allCases)
    func beforeInAnother(backend: Backend) async throws {
        try await backend.run { test in
            let silent = TestSession(user: "u1")
            let grant = try await test.register(silent)
            _ = try await test.handOff.closeConversation(
                grant.conversation, of: silent.user, in: test.partition, now: silent.startedAt)
            _ = try await test.handOff.end(silent.ending(epoch: nil, reason: .conversationClosed), in: test.partition)
            let next = TestSession(user: "u1")
            let resumed = try await test.handOff.register(next.resuming(silent.id), in: test.partition)
            #expect(resumed.isResumed && resumed.conversation != grant.conversation)
            #expect(try await test.session(next)?.predecessor == silent.id)
            #expect(try await test.session(next)?.before == nil)
        }
    }

    @Test("A device's own conversation id names a conversation that it opens", arguments: Backend.allCases)
    func clientConversation(backend: Backend) async throws {
        try await backend.run { test in
            let id = ConversationID(.timeOrdered(at: 5))
            let session = TestSession(user: "u1")
            let grant = try await test.handOff.register(session.registration(conversation: id), in: test.partition)
            #expect(grant.conversation == id.description)
        }
    }

    @Test("An append is found where it was said to stand, byte for byte", arguments: Backend.allCases)
    func append(backend: Backend) async throws {
        try await backend.run { test in
            let payloads = (0..<3).map { ByteBuffer(bytes: [0, 13, 10, 255, UInt8($0), 0]) }
            var positions: [StreamPosition] = []
            for payload in payloads { positions.append(try await test.handOff.append(payload, to: test.partition)) }
            let entries = try await test.stream(.audio)
            #expect(entries.map(\.payload) == payloads)
            #expect(entries.map(\.position) == positions && positions == positions.sorted())
        }
    }

    @Test("The tail check holds until the end, for the session's own epoch only", arguments: Backend.allCases)
    func holds(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            let grant = try await test.register(session)
            let handOff = test.handOff
            #expect(try await handOff.holds(session.id, epoch: grant.epoch, in: test.partition))
            #expect(try await !handOff.holds(session.id, epoch: FencingToken("1:0"), in: test.partition))
            #expect(try await !handOff.holds(.new(at: 1), epoch: grant.epoch, in: test.partition))
            _ = try await handOff.end(session.ending(epoch: grant.epoch), in: test.partition)
            #expect(try await !handOff.holds(session.id, epoch: grant.epoch, in: test.partition))
        }
    }

    @Test(
        "A session ends once; the marker stands in the stream and late appends behind it", arguments: Backend.allCases)
    func end(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            let grant = try await test.register(session)
            _ = try await test.handOff.append(session.entry(from: 0, count: 3), to: test.partition)
            let ending = session.ending(epoch: grant.epoch, frames: 3, reason: .inactive)
            guard case .ended(let position) = try await test.handOff.end(ending, in: test.partition) else {
                throw Unexpected("not ended")
            }
            #expect(try await test.handOff.end(ending, in: test.partition) == .alreadyEnded(position))
            let late = try await test.handOff.append(session.entry(from: 3, count: 1), to: test.partition)
            #expect(late > position)
            let known = try #require(try await test.session(session))
            #expect(known.end == position && known.endReason == .inactive && !known.isCompleted)
            let entries = try await test.stream(.audio)
            #expect(entries.map(\.position).dropFirst() == [position, late])
            let marker = try AudioEntry(decoding: try #require(entries.first { $0.position == position }).payload)
            #expect(marker.session == session.id && marker.content == .end(.inactive) && marker.firstSequence == 3)
        }
    }

    @Test("Only the session's gateway and epoch may end it", arguments: Backend.allCases)
    func endIsFenced(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            let grant = try await test.register(session)
            let handOff = test.handOff
            let other = Incarnation(startingAs: session.gateway.name)
            let foreign = [
                session.ending(epoch: grant.epoch, gateway: other), session.ending(epoch: nil, gateway: other),
                session.ending(epoch: FencingToken("99:0")),
            ]
            for ending in foreign { #expect(try await handOff.end(ending, in: test.partition) == .fenced) }
            #expect(try await test.stream(.audio).isEmpty)
            #expect(try await handOff.holds(session.id, epoch: grant.epoch, in: test.partition))
            let unknown = TestSession(user: "u1").ending(epoch: grant.epoch)
            #expect(try await handOff.end(unknown, in: test.partition) == .unknown)
            // A coordinator ends it for a gateway that lapsed, but not once another coordinator has the partition (H2).
            let old = try await test.acquire(.coordinator, stream: nil)
            let new = try await test.acquire(.coordinator, stream: nil)
            var ending = session.ending(epoch: nil)
            ending.lease = old.token
            #expect(try await handOff.end(ending, in: test.partition) == .fenced)
            #expect(try await test.stream(.audio).isEmpty)
            ending.lease = new.token
            guard case .ended = try await handOff.end(ending, in: test.partition) else {
                throw Unexpected("the coordinator could not end it")
            }
        }
    }

    @Test("Live sessions are those without an end, with their gateways", arguments: Backend.allCases)
    func live(backend: Backend) async throws {
        try await backend.run { test in
            let first = TestSession(user: "u1")
            let second = TestSession(user: "u2", gateway: Incarnation(startingAs: "gateway-1"))
            let grant = try await test.register(first)
            try await test.register(second)
            let other = Partition(8)
            #expect(
                try await test.handOff.liveSessions(in: [test.partition, other]) == [
                    test.partition: [
                        first.id: first.gateway.description, second.id: second.gateway.description,
                    ]
                ])
            _ = try await test.handOff.end(first.ending(epoch: grant.epoch), in: test.partition)
            #expect(
                try await test.handOff.liveSessions(in: [test.partition]) == [
                    test.partition: [second.id: second.gateway.description]
                ])
        }
    }
}
