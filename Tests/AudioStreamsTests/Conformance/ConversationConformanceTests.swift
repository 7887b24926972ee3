import AudioStreams
import EarshotModel
import NIOCore
import TestSupport
import Testing

@Suite("Hand-off: users and their conversations")
struct ConversationConformanceTests {
    private let minute: Int64 = 60_000_000

    @Test(
        "Settings are the defaults until projected, and an older projection changes nothing",
        arguments: Backend.allCases)
    func settings(backend: Backend) async throws {
        try await backend.run { test in
            let user = TestSession(user: "u1").user
            #expect(try await test.handOff.settings(of: user, in: test.partition) == UserSettings())
            let newer = UserSettings(
                revision: 7, isStorageOn: true, protection: .enhanced,
                audioEndpoints: [AudioEndpoint(id: "e", url: "https://x.example/a", secrets: ["whsec_AAAA"])],
                voices: [KnownVoice(person: "user", name: "Ada", embedding: [0.5, -0.25], engine: "e")])
            #expect(try await test.handOff.project(newer, of: user, in: test.partition))
            #expect(try await test.handOff.settings(of: user, in: test.partition) == newer)
            #expect(try await test.handOff.project(newer, of: user, in: test.partition))
            let isTaken = try await test.handOff.project(UserSettings(revision: 6), of: user, in: test.partition)
            #expect(!isTaken)
            #expect(try await test.handOff.settings(of: user, in: test.partition) == newer)
        }
    }

    @Test("A session gets the flags it asked for and those its user's settings want", arguments: Backend.allCases)
    func flags(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            _ = try await test.handOff.project(
                UserSettings(revision: 1, isStorageOn: true), of: session.user, in: test.partition)
            let grant = try await test.register(session)
            #expect(grant.flags == [.transcript, .privateCloud])
            #expect(try await test.session(session)?.parameters.flags == grant.flags)
            #expect(try await test.register(TestSession(user: "u2")).flags == .transcript)
        }
    }

    @Test("A text reaches every live session of its user and nobody else", arguments: Backend.allCases)
    func notify(backend: Backend) async throws {
        try await backend.run { test in
            let first = TestSession(user: "u1")
            let second = TestSession(user: "u1", gateway: first.gateway)
            let grant = try await test.register(first)
            try await test.register(second)
            try await test.register(TestSession(user: "u2", gateway: first.gateway))
            let got = try await test.published(to: first.gateway, count: 2) {
                let told = try await test.handOff.notify(first.user, in: test.partition, text: "{\"a\":1}")
                #expect(told == 2)
            }
            #expect(Set(got.map(\.session)) == [first.id, second.id])
            #expect(got.allSatisfy { $0.kind == .message && $0.text == "{\"a\":1}" })
            _ = try await test.handOff.end(first.ending(epoch: grant.epoch), in: test.partition)
            #expect(try await test.handOff.notify(first.user, in: test.partition, text: "x") == 1)
        }
    }

    @Test("A bound session joins exactly its conversation", arguments: Backend.allCases)
    func bound(backend: Backend) async throws {
        try await backend.run { test in
            try await test.register(TestSession(user: "u1"))
            var registration = TestSession(user: "u1").registration()
            registration.boundConversation = "c1"
            let grant = try await test.handOff.register(registration, in: test.partition)
            #expect(grant.conversation == "c1" && !grant.continuesConversation)
            var again = TestSession(user: "u1", at: TestSession.epoch + minute).registration()
            again.boundConversation = "c1"
            let second = try await test.handOff.register(again, in: test.partition)
            #expect(second.conversation == "c1" && second.continuesConversation)
            #expect(second.conversationStart == grant.conversationStart)
        }
    }

    @Test("A request for a sample is one entry that says everything", arguments: Backend.allCases)
    func sample(backend: Backend) async throws {
        try await backend.run { test in
            let user = TestSession(user: "u1").user
            let request = SpeakerSampleRequest(
                user: user, conversation: "c1", person: "p", personName: "Ada", segments: ["s2", "s1"], at: 5)
            // A call that is repeated, since its answer was lost, asks for nothing more; asking again later does.
            for _ in 1...2 { try await test.handOff.requestSample(request, in: test.partition) }
            let entries = try await test.stream(.speakerSample)
            #expect(entries.count == 1)
            var later = request
            later.requestedAt += 1
            try await test.handOff.requestSample(later, in: test.partition)
            #expect(try await test.stream(.speakerSample).count == 2)
            let text = try String(buffer: #require(entries.first).payload)
            #expect(text.contains("\"person_id\":\"p\"") && text.contains(request.id))
        }
    }

    @Test("A conversation is completed once: over, through, and recorded", arguments: Backend.allCases)
    func completion(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            let grant = try await test.register(session)
            let lease = try await test.acquire(.coordinator, stream: nil)
            let open = try #require(try await test.handOff.conversations(in: [test.partition])[test.partition]?.first)
            #expect(open.id == grant.conversation && open.user == session.user && open.session == session.id)
            func settle(at now: Int64, times: UInt64 = 0) async throws -> ConversationSettlement {
                try await test.handOff.settle(
                    open, times: times, in: test.partition, now: now, token: lease.token)
            }
            let later = TestSession.epoch + 10 * minute
            #expect(try await settle(at: later) == .open, "somebody is in it")
            let end = TestSession.epoch + minute
            _ = try await test.handOff.end(session.ending(epoch: grant.epoch, at: end), in: test.partition)
            #expect(try await settle(at: end + minute) == .open, "it may still be continued")
            #expect(try await settle(at: later) == .waiting, "not transcribed")
            let transcript = try await test.acquire()
            let done = LaneProgress(next: 1, isDone: true)
            #expect(
                try await test.commit(transcript.token, 1, [Commit.Lane(session: session.id, progress: done)])
                    == .applied)
            let record = try await test.acquire(.record, stream: .events)
            #expect(try await settle(at: later) == .waiting, "not recorded")
            let last = try #require(try await test.stream(.events).last).position
            _ = try await test.handOff.commit(
                Commit(
                    group: .record, stream: .events, partition: test.partition, token: record.token, number: 1,
                    position: Commit.Position(position: last, entriesRead: 1), lanes: []))
            #expect(try await settle(at: later) == .completed)
            #expect(try await settle(at: later) == .alreadyCompleted)
            #expect(try await test.handOff.conversations(in: [test.partition])[test.partition] == nil)
            let event = try SessionEvent(json: try #require(try await test.stream(.events).last).payload)
            #expect(event.type == .conversationCompleted && event.conversation == grant.conversation)
            #expect(event.conversationStart == grant.conversationStart && event.conversationEnd == end)
            #expect(try await test.register(TestSession(user: "u1", at: end + 1)).conversation != grant.conversation)
        }
    }

    @Test(
        "Stored audio is waited for, for a while; then the conversation is completed without, and once more with it",
        arguments: Backend.allCases)
    func audio(backend: Backend) async throws {
        try await backend.run { test in
            try await test.handOff.enable(
                audioGroups: [.transcript, .privateCloud], eventGroups: [], in: [test.partition])
            let session = TestSession(user: "u1")
            _ = try await test.handOff.project(
                UserSettings(revision: 1, isStorageOn: true), of: session.user, in: test.partition)
            let grant = try await test.register(session)
            let lease = try await test.acquire(.coordinator, stream: nil)
            let open = OpenConversation(id: grant.conversation, user: session.user, session: session.id)
            let now = TestSession.epoch + minute
            func settle(at moment: Int64, times: UInt64 = 0) async throws -> ConversationSettlement {
                try await test.handOff.settle(
                    open, times: times, in: test.partition, now: moment, token: lease.token)
            }
            func listed() async throws -> [OpenConversation]? {
                try await test.handOff.conversations(in: [test.partition])[test.partition]
            }
            _ = try await test.handOff.end(session.ending(epoch: grant.epoch, at: now), in: test.partition)
            _ = try await test.handOff.closeConversation(
                grant.conversation, of: session.user, in: test.partition, now: now)
            let transcript = try await test.acquire()
            let done = LaneProgress(next: 1, isDone: true)
            let lane = Commit.Lane(session: session.id, progress: done)
            #expect(try await test.commit(transcript.token, 1, [lane]) == .applied)
            #expect(try await settle(at: now + minute / 3) == .waiting)
            #expect(try await settle(at: now + minute) == .completed)
            let first = try SessionEvent(json: try #require(try await test.stream(.events).last).payload)
            #expect(first.type == .conversationCompleted && first.audioPending == true)
            #expect(try await settle(at: now + 10 * minute) == .waiting, "its audio is still away")
            #expect(try await listed() == [open])
            let store = try await test.acquire(.privateCloud)
            #expect(try await test.commit(store.token, 1, [lane], group: .privateCloud) == .applied)
            #expect(try await settle(at: now + 10 * minute) == .completedBefore(times: 1))
            #expect(try await settle(at: now + 10 * minute, times: 1) == .completed)
            let second = try SessionEvent(json: try #require(try await test.stream(.events).last).payload)
            #expect(second.type == .conversationUpdated && second.audioPending == nil && second.id != first.id)
            #expect(try await listed() == nil)
            #expect(try await settle(at: now + 10 * minute, times: 2) == .alreadyCompleted)
        }
    }

    @Test("Silence is measured in audio time, over every live session of the conversation", arguments: Backend.allCases)
    func silence(backend: Backend) async throws {
        try await backend.run { test in
            let phone = TestSession(user: "u1")
            let grant = try await test.register(phone)
            let desktop = TestSession(user: "u1")
            try await test.register(desktop)
            let lease = try await test.acquire(.coordinator, stream: nil)
            let transcript = try await test.acquire()
            let open = OpenConversation(id: grant.conversation, user: phone.user, session: phone.id)
            let start = TestSession.epoch
            var number: Int64 = 0
            func heard(_ session: TestSession, _ upto: Int64, speech: Int64? = nil) async throws {
                number += 1
                let lane = Commit.Lane(
                    session: session.id, progress: LaneProgress(next: UInt64(number)), heard: start + upto,
                    speech: speech.map { start + $0 })
                #expect(try await test.commit(transcript.token, number, [lane]) == .applied)
            }
            func settle() async throws -> ConversationSettlement {
                try await test.handOff.settle(
                    open, times: 0, in: test.partition, now: start + 600 * minute, token: lease.token)
            }
            #expect(try await settle() == .open, "nothing was heard: the workers are slow, not the people")
            try await heard(phone, 11 * minute / 4, speech: minute / 4)
            #expect(try await settle() == .open, "the other device was not heard yet")
            try await heard(desktop, 2 * minute)
            #expect(try await settle() == .open)
            try await heard(phone, 3 * minute)
            #expect(try await settle() == .open, "the desktop may hold speech up to there")
            try await heard(desktop, 9 * minute / 4 + 1)
            #expect(try await settle() == .waiting, "it is closed")
            let next = try await test.register(TestSession(user: "u1"))
            #expect(next.conversation != grant.conversation)
        }
    }

    @Test("Conversations of one user that are open side by side end apart", arguments: Backend.allCases)
    func sideBySide(backend: Backend) async throws {
        try await backend.run { test in
            let lease = try await test.acquire(.coordinator, stream: nil)
            let phone = TestSession(user: "u1")
            func settle(_ grant: SessionRegistration.Grant, at now: Int64) async throws -> ConversationSettlement {
                try await test.handOff.settle(
                    OpenConversation(id: grant.conversation, user: phone.user, session: phone.id), times: 0,
                    in: test.partition, now: now, token: lease.token)
            }
            let first = try await test.register(phone)
            _ = try await test.handOff.end(phone.ending(epoch: first.epoch, reason: .gatewayDead), in: test.partition)
            let later = TestSession.epoch + 3 * minute
            let desktop = TestSession(user: "u1", at: later)
            let second = try await test.register(desktop)
            #expect(second.conversation != first.conversation)
            // The phone comes back late, into its own conversation, and the desktop goes.
            let again = TestSession(user: "u1", at: later)
            let resumed = try await test.handOff.register(again.resuming(phone.id), in: test.partition)
            #expect(resumed.conversation == first.conversation)
            _ = try await test.handOff.end(desktop.ending(epoch: second.epoch, at: later), in: test.partition)
            #expect(try await settle(first, at: later + 60 * minute) == .open, "the phone is in it")
            #expect(try await settle(second, at: later + 2 * minute) == .open)
            #expect(try await settle(second, at: later + 2 * minute + 1) == .waiting, "nobody is in it")
            _ = try await test.handOff.end(
                again.ending(epoch: resumed.epoch, at: later + 60 * minute), in: test.partition)
            let third = try await test.register(TestSession(user: "u1", at: later + 60 * minute))
            #expect(third.conversation != first.conversation && third.conversation != second.conversation)
            #expect(try await settle(first, at: later + 62 * minute) == .open, "another one is the user's by now")
            #expect(try await settle(first, at: later + 62 * minute + 1) == .waiting)
        }
    }

    @Test(
        "A device that names a conversation that is over goes on in it, and its silence is counted anew",
        arguments: Backend.allCases)
    func named(backend: Backend) async throws {
        try await backend.run { test in
            let id = ConversationID(.timeOrdered(at: 5))
            let first = TestSession(user: "u1")
            let grant = try await test.handOff.register(first.registration(conversation: id), in: test.partition)
            _ = try await test.handOff.end(
                first.ending(epoch: grant.epoch, at: TestSession.epoch + minute), in: test.partition)
            let lease = try await test.acquire(.coordinator, stream: nil)
            let transcript = try await test.acquire()
            let done = Commit.Lane(
                session: first.id, progress: LaneProgress(next: 1, isDone: true), heard: TestSession.epoch + minute,
                speech: TestSession.epoch + 1)
            #expect(try await test.commit(transcript.token, 1, [done]) == .applied)
            let open = OpenConversation(id: grant.conversation, user: first.user, session: first.id)
            let later = TestSession.epoch + 60 * minute
            func settle(at now: Int64) async throws -> ConversationSettlement {
                try await test.handOff.settle(open, times: 0, in: test.partition, now: now, token: lease.token)
            }
            #expect(try await settle(at: later) == .completed)
            let second = TestSession(user: "u1", at: later)
            let again = try await test.handOff.register(second.registration(conversation: id), in: test.partition)
            #expect(again.conversation == id.description && again.continuesConversation)
            #expect(again.conversationStart == grant.conversationStart)
            func heard(_ upto: Int64, number: Int64) async throws {
                let lane = Commit.Lane(
                    session: second.id, progress: LaneProgress(next: UInt64(number)), heard: later + upto)
                #expect(try await test.commit(transcript.token, number, [lane]) == .applied)
            }
            try await heard(minute, number: 2)
            #expect(try await settle(at: later + minute) == .open)
            try await heard(2 * minute + 1, number: 3)
            #expect(try await settle(at: later + 2 * minute) == .waiting, "two minutes of silence close it again")
        }
    }

    @Test("A closed conversation is continued by nobody, and reopened only by name", arguments: Backend.allCases)
    func closing(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            let grant = try await test.register(session)
            func close(_ id: String) async throws -> Bool {
                try await test.handOff.closeConversation(
                    id, of: session.user, in: test.partition, now: TestSession.epoch + 2)
            }
            let isUnknown = try await close("nothing")
            #expect(!isUnknown)
            #expect(try await close(grant.conversation))
            #expect(try await close(grant.conversation), "closing again is no news")
            let other = try await test.register(TestSession(user: "u1"))
            #expect(other.conversation != grant.conversation)
            let lease = try await test.acquire(.coordinator, stream: nil)
            let open = OpenConversation(id: grant.conversation, user: session.user, session: session.id)
            func settle(_ times: UInt64) async throws -> ConversationSettlement {
                try await test.handOff.settle(
                    open, times: times, in: test.partition, now: TestSession.epoch + 3, token: lease.token)
            }
            #expect(try await settle(0) == .waiting, "its session still speaks")
            _ = try await test.handOff.end(session.ending(epoch: grant.epoch), in: test.partition)
            let transcript = try await test.acquire()
            let done = LaneProgress(next: 1, isDone: true)
            _ = try await test.commit(transcript.token, 1, [Commit.Lane(session: session.id, progress: done)])
            #expect(try await settle(0) == .completed)
            var again = TestSession(user: "u1").registration()
            again.boundConversation = grant.conversation
            let reopened = try await test.handOff.register(again, in: test.partition)
            let ending = SessionEnding(
                session: again.session, user: again.user, epoch: reopened.epoch, gateway: again.gateway,
                reason: .clientClosed, frames: 0, now: TestSession.epoch + 4)
            _ = try await test.handOff.end(ending, in: test.partition)
            _ = try await test.commit(transcript.token, 2, [Commit.Lane(session: again.session, progress: done)])
            #expect(try await close(grant.conversation))
            #expect(try await settle(0) == .completedBefore(times: 1))
            #expect(try await settle(1) == .completed)
            let event = try SessionEvent(json: try #require(try await test.stream(.events).last).payload)
            #expect(event.type == .conversationUpdated)
        }
    }

    @Test("A conversation that is continued while it closes waits for the record anew", arguments: Backend.allCases)
    func reopened(backend: Backend) async throws {
        try await backend.run { test in
            let first = TestSession(user: "u1")
            var registration = first.registration()
            registration.boundConversation = "c1"
            let grant = try await test.handOff.register(registration, in: test.partition)
            let lease = try await test.acquire(.coordinator, stream: nil)
            let record = try await test.acquire(.record, stream: .events)
            let transcript = try await test.acquire()
            var commits: Int64 = 0
            func isThrough(_ session: TestSession) async throws {
                commits += 1
                let lane = Commit.Lane(session: session.id, progress: LaneProgress(next: 1, isDone: true))
                #expect(try await test.commit(transcript.token, commits, [lane]) == .applied)
            }
            func settle() async throws -> ConversationSettlement {
                try await test.handOff.settle(
                    OpenConversation(id: "c1", user: first.user, session: first.id), times: 0, in: test.partition,
                    now: TestSession.epoch + 10 * minute, token: lease.token)
            }
            _ = try await test.handOff.end(first.ending(epoch: grant.epoch), in: test.partition)
            try await isThrough(first)
            #expect(try await settle() == .waiting, "not recorded; the mark is made here")
            let mark = try #require(try await test.stream(.events).last).position
            let second = TestSession(user: "u1")
            var again = second.registration()
            again.boundConversation = "c1"
            let reopened = try await test.handOff.register(again, in: test.partition)
            _ = try await test.handOff.end(second.ending(epoch: reopened.epoch), in: test.partition)
            try await isThrough(second)
            func recordPasses(_ position: StreamPosition, _ number: Int64) async throws {
                let outcome = try await test.handOff.commit(
                    Commit(
                        group: .record, stream: .events, partition: test.partition, token: record.token,
                        number: number, position: Commit.Position(position: position, entriesRead: number), lanes: []))
                #expect(outcome == .applied)
            }
            try await recordPasses(mark, 1)
            #expect(try await settle() == .waiting, "what the second session added is not recorded")
            try await recordPasses(try #require(try await test.stream(.events).last).position, 2)
            #expect(try await settle() == .completed)
        }
    }
}
