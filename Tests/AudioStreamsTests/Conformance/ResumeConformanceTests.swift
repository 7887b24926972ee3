import AudioStreams
import EarshotModel
import RedisClient
import TestSupport
import Testing

/// A resume is a new session that continues another (protocol.md H9).
@Suite("Hand-off: resumes")
struct ResumeConformanceTests {
    private func events(_ test: HandOffUnderTest) async throws -> [SessionEvent] {
        try await test.stream(.events).map { try SessionEvent(json: $0.payload) }
    }

    @Test("A live predecessor is ended, its gateway is told, and its successor goes on", arguments: Backend.allCases)
    func live(backend: Backend) async throws {
        try await backend.run { test in
            let old = TestSession(user: "u1", gateway: Incarnation(startingAs: "gateway-a"))
            let epoch = try await test.register(old).epoch
            let new = TestSession(user: "u1", gateway: Incarnation(startingAs: "gateway-b"), at: old.startedAt + 5)
            var grant: SessionRegistration.Grant?
            let told = try await test.published(to: old.gateway, count: 1) {
                try await test.handOff.note(old.id, epoch: epoch, last: 41, capture: 7, in: test.partition)
                grant = try await test.handOff.register(new.resuming(old.id, first: 12), in: test.partition)
            }
            #expect(told == [LiveResult(kind: .taken, session: old.id, ordinal: 0, count: 0, text: "")])
            #expect(grant?.from == 42 && grant?.isResumed == true && grant?.successor == nil)
            #expect(grant?.continuesConversation == true)
            #expect(try await test.handOff.holds(old.id, epoch: epoch, in: test.partition) == false)
            let live = try await test.handOff.liveSessions(in: [test.partition])[test.partition] ?? [:]
            #expect(Array(live.keys) == [new.id])
            let ended = try #require(try await test.session(old))
            #expect(ended.endReason == .superseded && ended.successor == new.id)
            #expect(ended.last == 41 && ended.lastCapture == 7)
            let marker = try #require(try await test.stream(.audio).last)
            #expect(ended.end == marker.position)
            let audio = try AudioEntry(decoding: marker.payload)
            #expect(audio.session == old.id)
            guard case .end(.superseded) = audio.content else { throw Unexpected("\(audio.content)") }
            let known = try #require(try await test.session(new))
            #expect(known.predecessor == old.id && known.successor == nil)
            #expect(known.first == 12 && known.from == 42 && known.last == nil)
            #expect(known.conversation == ended.conversation)
            #expect(try await events(test).map(\.predecessor) == [nil, old.id.description])
        }
    }

    @Test("An ended predecessor is continued without another marker", arguments: Backend.allCases)
    func ended(backend: Backend) async throws {
        try await backend.run { test in
            let old = TestSession(user: "u1")
            let granted = try await test.register(old)
            let conversation = granted.conversation
            try await test.handOff.note(old.id, epoch: granted.epoch, last: 9, capture: 1, in: test.partition)
            _ = try await test.handOff.end(old.ending(epoch: nil, reason: .gatewayDead), in: test.partition)
            // Long after the conversation's timeout: it is still the conversation of what is sent again.
            let new = TestSession(user: "u1", at: old.startedAt + 3_600_000_000)
            let told = try await test.published(to: old.gateway, count: 0) {
                let grant = try await test.handOff.register(new.resuming(old.id), in: test.partition)
                #expect(grant.isResumed && grant.from == 10)
                #expect(grant.conversation == conversation && grant.continuesConversation)
            }
            #expect(told.isEmpty)
            #expect(try await test.stream(.audio).count == 1)
            #expect(try await test.session(old)?.endReason == .gatewayDead)
        }
    }

    @Test(
        "Nobody's predecessor, and another user's, make a session of its own that begins where the device does",
        arguments: Backend.allCases)
    func unknown(backend: Backend) async throws {
        try await backend.run { test in
            let stranger = TestSession(user: "u2")
            let epoch = try await test.register(stranger).epoch
            for predecessor in [TestSession(user: "u1").id, stranger.id] {
                let new = TestSession(user: "u1")
                let grant = try await test.handOff.register(new.resuming(predecessor, first: 77), in: test.partition)
                #expect(!grant.isResumed && grant.from == 77 && grant.successor == nil)
                let known = try #require(try await test.session(new))
                #expect(known.predecessor == nil && known.from == 77 && known.first == 77)
            }
            #expect(try await test.handOff.holds(stranger.id, epoch: epoch, in: test.partition))
            #expect(try await test.session(stranger)?.successor == nil)
            #expect(try await test.stream(.audio).isEmpty)
        }
    }

    @Test("A predecessor is continued once: who comes later is told the chain's last", arguments: Backend.allCases)
    func continuedBefore(backend: Backend) async throws {
        try await backend.run { test in
            var chain = [TestSession(user: "u1")]
            try await test.register(chain[0])
            for _ in 0..<3 {
                let next = TestSession(user: "u1")
                let request = next.resuming(chain[chain.count - 1].id)
                #expect(try await test.handOff.register(request, in: test.partition).isResumed)
                chain.append(next)
            }
            let late = TestSession(user: "u1")
            for old in chain.dropLast() {
                let grant = try await test.handOff.register(late.resuming(old.id), in: test.partition)
                #expect(grant.successor == chain[3].id && !grant.isResumed)
            }
            #expect(try await test.session(late) == nil)
            #expect(try await test.session(chain[3])?.end == nil)
            let grant = try await test.handOff.register(late.resuming(chain[3].id), in: test.partition)
            #expect(grant.isResumed && grant.successor == nil)
            #expect(try await test.stream(.audio).count == 4)
        }
    }

    @Test("Repeating a resume with the same nonce changes nothing", arguments: Backend.allCases)
    func repeated(backend: Backend) async throws {
        try await backend.run { test in
            let old = TestSession(user: "u1")
            let epoch = try await test.register(old).epoch
            try await test.handOff.note(old.id, epoch: epoch, last: 3, capture: 1, in: test.partition)
            let new = TestSession(user: "u1")
            let request = new.resuming(old.id, first: 2)
            let grant = try await test.handOff.register(request, in: test.partition)
            try await test.handOff.note(new.id, epoch: grant.epoch, last: 30, capture: 2, in: test.partition)
            let before = try await (test.stream(.audio).count, test.events(), test.session(old))
            #expect(try await test.handOff.register(request, in: test.partition) == grant)
            let after = try await (test.stream(.audio).count, test.events(), test.session(old))
            #expect(before.0 == after.0 && before.1 == after.1 && before.2 == after.2)
            let refusal = await handOffError {
                _ = try await test.handOff.register(new.resuming(old.id), in: test.partition)
            }
            #expect(refusal?.code == .refused)
        }
    }

    @Test("What a chain had is never asked for again, and numbers above 2^53 stay exact", arguments: Backend.allCases)
    func resumePoint(backend: Backend) async throws {
        try await backend.run { test in
            let old = TestSession(user: "u1")
            let epoch = try await test.register(old).epoch
            try await test.handOff.note(old.id, epoch: epoch, last: 99, capture: 1, in: test.partition)
            let second = TestSession(user: "u1")
            #expect(try await test.handOff.register(second.resuming(old.id), in: test.partition).from == 100)
            // It was cut before anything of it was acknowledged.
            let third = TestSession(user: "u1")
            #expect(try await test.handOff.register(third.resuming(second.id), in: test.partition).from == 100)
            let fourth = TestSession(user: "u1")
            let far: UInt64 = 1 << 60 + 1
            let grant = try await test.handOff.register(fourth.resuming(third.id, first: far), in: test.partition)
            #expect(grant.from == far)
            #expect(try await test.session(fourth)?.first == far)
        }
    }

    @Test("Only the session's own epoch notes, upwards, and not behind the end", arguments: Backend.allCases)
    func notes(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            let epoch = try await test.register(session).epoch
            let other = FencingToken("1:0000000000000001")
            func note(_ last: UInt64, _ epoch: FencingToken, _ id: SessionID) async throws -> Bool {
                try await test.handOff.note(id, epoch: epoch, last: last, capture: Int64(last), in: test.partition)
            }
            #expect(try await note(5, other, session.id) == false)
            #expect(try await test.session(session)?.last == nil)
            #expect(try await note(0, epoch, session.id))
            #expect(try await test.session(session)?.last == 0)
            #expect(try await note(7, epoch, session.id))
            #expect(try await note(6, epoch, session.id))
            #expect(try await test.session(session)?.last == 7)
            #expect(try await test.session(session)?.lastCapture == 7)
            #expect(try await note(8, epoch, TestSession(user: "u1").id) == false)
            _ = try await test.handOff.end(session.ending(epoch: epoch), in: test.partition)
            #expect(try await note(9, epoch, session.id) == false)
            #expect(try await test.session(session)?.last == 7)
        }
    }

    @Test("A conversation that silence closed is not continued, and one that is open beside it stays the user's")
    func conversations() async throws {
        for backend in Backend.allCases {
            try await backend.run { test in
                let silent = TestSession(user: "u1")
                let first = try await test.register(silent)
                _ = try await test.handOff.closeConversation(
                    first.conversation, of: silent.user, in: test.partition, now: silent.startedAt)
                _ = try await test.handOff.end(
                    silent.ending(epoch: nil, reason: .conversationClosed), in: test.partition)
                let next = TestSession(user: "u1")
                let grant = try await test.handOff.register(next.resuming(silent.id), in: test.partition)
                #expect(grant.isResumed && grant.conversation != first.conversation)
                _ = try await test.handOff.end(next.ending(epoch: nil, reason: .gatewayDead), in: test.partition)
                _ = try await test.handOff.closeConversation(
                    grant.conversation, of: next.user, in: test.partition, now: next.startedAt)
                let beside = try await test.register(TestSession(user: "u1"))
                #expect(beside.conversation != grant.conversation)
                let again = TestSession(user: "u1")
                let resumed = try await test.handOff.register(again.resuming(next.id), in: test.partition)
                #expect(resumed.conversation == grant.conversation)
                let fresh = try await test.register(TestSession(user: "u1"))
                #expect(fresh.conversation == beside.conversation)
            }
        }
    }

    @Test("Who is live in a conversation that another device closes goes on in another", arguments: Backend.allCases)
    func closedByAnother(backend: Backend) async throws {
        try await backend.run { test in
            let phone = TestSession(user: "u1")
            let grant = try await test.register(phone)
            _ = try await test.handOff.closeConversation(
                grant.conversation, of: phone.user, in: test.partition, now: phone.startedAt)
            let resumed = try await test.handOff.register(
                TestSession(user: "u1").resuming(phone.id), in: test.partition)
            #expect(resumed.isResumed && resumed.conversation != grant.conversation)
        }
    }

    @Test("An entry stays until its successor is completed")
    func retention() async throws {
        try await Backend.redis.run { test in
            guard case .redis(let fleet) = test.content else { return }
            func lifetime(_ session: TestSession) async throws -> Int? {
                try await fleet.client.execute(
                    RedisCommand("TTL", .init(fleet.keys.session(session.id, test.partition)))
                ).int
            }
            try await test.handOff.enable(audioGroups: [test.group], eventGroups: [], in: [test.partition])
            let lease = try await test.acquire()
            let old = TestSession(user: "u1")
            try await test.register(old)
            let new = TestSession(user: "u1")
            let epoch = try await test.handOff.register(new.resuming(old.id), in: test.partition).epoch
            let done = LaneProgress(next: 4, isDone: true)
            _ = try await test.commit(lease.token, 1, [Commit.Lane(session: old.id, progress: done)])
            #expect(try await test.session(old)?.isCompleted == true)
            #expect(try await lifetime(old) == -1)
            _ = try await test.handOff.end(new.ending(epoch: epoch), in: test.partition)
            _ = try await test.commit(lease.token, 2, [Commit.Lane(session: new.id, progress: done)])
            #expect(try await lifetime(old) ?? 0 > 80_000)
            #expect(try await lifetime(new) ?? 0 > 80_000)
            // One that had gone to its rest is wanted again.
            let third = TestSession(user: "u1")
            _ = try await test.handOff.register(third.resuming(new.id), in: test.partition)
            #expect(try await lifetime(new) == -1)
        }
    }
}
