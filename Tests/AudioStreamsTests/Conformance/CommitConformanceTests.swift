import AudioStreams
import EarshotModel
import NIOCore
import TestSupport
import Testing

@Suite("Hand-off: commits")
struct CommitConformanceTests {
    private func lane(
        _ session: TestSession, next: UInt64 = 1, ordinal: UInt64 = 0, events: [String] = [],
        finals: [LiveResult] = [], isDone: Bool = false
    ) -> Commit.Lane {
        Commit.Lane(
            session: session.id, progress: LaneProgress(next: next, ordinal: ordinal, isDone: isDone),
            events: events, finals: finals)
    }

    private func final(_ session: TestSession, _ ordinal: UInt64) -> LiveResult {
        LiveResult(
            kind: .final, session: session.id, ordinal: ordinal, count: 1, text: "[{\"text\":\"nº \(ordinal)\n\"}]")
    }

    @Test("A commit stores progress, state bytes and events, and moves the group", arguments: Backend.allCases)
    func applied(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            try await test.register(session)
            let position = try await test.handOff.append(session.entry(from: 0, count: 2), to: test.partition)
            _ = try await test.handOff.append(session.entry(from: 2, count: 2), to: test.partition)
            let grant = try await test.acquire()
            let state = (0...255).map { UInt8($0) } + [13, 10, 0]
            let progress = LaneProgress(next: 2, ordinal: 1 << 60, events: 7, state: state)
            let lane = Commit.Lane(session: session.id, progress: progress, events: ["one", "two é\r\n"])
            let reached = Commit.Position(position: position, entriesRead: 1)
            #expect(try await test.commit(grant.token, 1, position: reached, [lane]) == .applied)
            #expect(try await test.session(session)?.progress == progress)
            #expect(try await test.session(session, .privateCloud)?.progress == LaneProgress())
            #expect(try await test.events().dropFirst() == ["one", "two é\r\n"])
            #expect(try await test.lagCounts() == [1, 2])
            let next = try await test.acquire()
            #expect(next.position == position && next.entriesRead == 1)
        }
    }

    @Test(
        "A repeated number answers so and writes nothing; a gap and a stale token neither", arguments: Backend.allCases)
    func writesNothing(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            try await test.register(session)
            let position = try await test.handOff.append(session.entry(from: 0, count: 2), to: test.partition)
            let old = try await test.acquire()
            let grant = try await test.acquire()
            #expect(try await test.commit(grant.token, 1, [lane(session, next: 1, events: ["first"])]) == .applied)
            let before = (try await test.events(), try await test.session(session), try await test.lag())
            let reached = Commit.Position(position: position, entriesRead: 1)
            let letter = Commit.DeadLetter(
                entry: StreamEntry(position: position, payload: .init(string: "x")), reason: "never")
            var other = lane(session, next: 2, events: ["second"], finals: [final(session, 0)], isDone: true)
            other.deadLetters = [letter]
            #expect(try await test.commit(grant.token, 1, position: reached, [other]) == .repeated)
            #expect(try await test.commit(grant.token, 3, position: reached, [other]) == .outOfOrder)
            #expect(try await test.commit(old.token, 1, position: reached, [other]) == .fenced)
            #expect(try await test.commit(old.token, 2, position: reached, [other]) == .fenced)
            #expect(try await test.commit(FencingToken("2:"), 2, position: reached, [other]) == .fenced)
            #expect(try await test.events() == before.0)
            #expect(try await test.session(session) == before.1)
            #expect(try await test.lag() == before.2)
            #expect(try await test.handOff.finals(of: session.id, in: test.partition).isEmpty)
            #expect(try await test.deadLetters().isEmpty)
            #expect(try await test.commit(grant.token, 2, position: reached, [other]) == .applied)
        }
    }

    @Test("Nobody's lease takes no commit, and a new token begins at 1 again", arguments: Backend.allCases)
    func numbering(backend: Backend) async throws {
        try await backend.run { test in
            #expect(try await test.commit(FencingToken("1:0"), 1) == .fenced)
            let first = try await test.acquire()
            for number in Int64(1)...3 { #expect(try await test.commit(first.token, number) == .applied) }
            let second = try await test.acquire()
            #expect(try await test.commit(second.token, 4) == .outOfOrder)
            #expect(try await test.commit(second.token, 1) == .applied)
        }
    }

    @Test("Finals are kept up to the bound, the newest", arguments: Backend.allCases)
    func finals(backend: Backend) async throws {
        var limits = Limits()
        limits.finalsKept = 3
        try await backend.run(limits: limits) { test in
            let session = TestSession(user: "u1")
            try await test.register(session)
            let grant = try await test.acquire()
            for number in UInt64(1)...5 {
                let lane = lane(session, next: number, finals: [final(session, number)])
                #expect(try await test.commit(grant.token, Int64(number), [lane]) == .applied)
            }
            let kept = try await test.handOff.finals(of: session.id, in: test.partition)
            #expect(kept == [final(session, 3), final(session, 4), final(session, 5)])
        }
    }

    @Test(
        "Finals reach the session's gateway, once each and in order, and no other gateway", arguments: Backend.allCases)
    func published(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            let stranger = TestSession(user: "u2", gateway: Incarnation(startingAs: "gateway-1"))
            try await test.register(session)
            try await test.register(stranger)
            let old = try await test.acquire()
            let grant = try await test.acquire()
            let results = try await test.published(to: session.gateway, count: 3) { () async throws in
                let lanes = [
                    lane(stranger, finals: [final(stranger, 9)]),
                    lane(session, finals: [final(session, 0), final(session, 1)]),
                ]
                #expect(try await test.commit(old.token, 1, lanes) == .fenced)
                #expect(try await test.commit(grant.token, 1, lanes) == .applied)
                #expect(try await test.commit(grant.token, 1, lanes) == .repeated)
                #expect(try await test.commit(grant.token, 2, [lane(session, finals: [final(session, 2)])]) == .applied)
            }
            #expect(results == [final(session, 0), final(session, 1), final(session, 2)])
        }
    }

    @Test("An interim is published for the lease's token only, and kept nowhere", arguments: Backend.allCases)
    func interim(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            try await test.register(session)
            let old = try await test.acquire()
            let grant = try await test.acquire()
            func publish(_ text: String, _ token: FencingToken) async throws -> Bool {
                try await test.handOff.publish(
                    LiveResult(kind: .interim, session: session.id, ordinal: 0, count: 1, text: text),
                    to: session.gateway, token: token, group: test.group, partition: test.partition)
            }
            let results = try await test.published(to: session.gateway, count: 2) { () async throws in
                #expect(try await !publish("a zombie's", old.token))
                #expect(try await publish("first", grant.token))
                #expect(try await publish("second", grant.token))
            }
            #expect(results.map(\.text) == ["first", "second"])
            #expect(try await test.handOff.finals(of: session.id, in: test.partition).isEmpty)
        }
    }

    @Test("What is to be done later stands behind the rest of the stream, once a commit", arguments: Backend.allCases)
    func again(backend: Backend) async throws {
        try await backend.run { test in
            let grant = try await test.acquire(.speakerSample, stream: .speakerSample)
            func commit(_ number: Int64, _ token: FencingToken) async throws -> Commit.Outcome {
                try await test.handOff.commit(
                    Commit(
                        group: .speakerSample, stream: .speakerSample, partition: test.partition, token: token,
                        number: number, position: nil,
                        lanes: [
                            Commit.Lane(session: nil, progress: LaneProgress(), events: ["{}"], again: ["{\"a\":1}"]),
                            Commit.Lane(session: nil, progress: LaneProgress(), again: ["2", "3"]),
                        ]))
            }
            #expect(try await commit(1, grant.token) == .applied)
            #expect(try await commit(1, grant.token) == .repeated)
            #expect(try await commit(2, FencingToken("9:x")) == .fenced)
            let entries = try await test.stream(.speakerSample)
            #expect(entries.map { String(buffer: $0.payload) } == ["{\"a\":1}", "2", "3"])
            #expect(try await test.stream(.events).count == 1)
        }
    }

    @Test("Dead letters keep the entry's bytes and the reason, and are bounded", arguments: Backend.allCases)
    func deadLetters(backend: Backend) async throws {
        var limits = Limits()
        limits.deadLettersMaximum = 100
        try await backend.run(limits: limits) { test in
            let grant = try await test.acquire()
            func letters(_ range: Range<Int>) -> [Commit.DeadLetter] {
                range.map { number in
                    let entry = StreamEntry(
                        position: StreamPosition(milliseconds: UInt64(number + 1), sequence: 0),
                        payload: ByteBuffer(bytes: [UInt8(truncatingIfNeeded: number), 0, 255, 13, 10]))
                    return Commit.DeadLetter(entry: entry, reason: "reason \(number)")
                }
            }
            // An entry of no session is given up like any other.
            func lane(_ range: Range<Int>) -> Commit.Lane {
                Commit.Lane(session: nil, progress: LaneProgress(), deadLetters: letters(range))
            }
            #expect(try await test.commit(grant.token, 1, [lane(0..<2)]) == .applied)
            let first = try await test.deadLetters()
            #expect(first.map(\.reason) == ["reason 0", "reason 1"])
            #expect(first.map(\.payload) == letters(0..<2).map(\.entry.payload))
            #expect(try await test.commit(grant.token, 2, [lane(2..<1_000)]) == .applied)
            let kept = try await test.deadLetters()
            #expect((100...200).contains(kept.count))
            #expect(kept.last?.reason == "reason 999")
        }
    }

    @Test("The last enabled group to pass the marker completes the session", arguments: Backend.allCases)
    func completion(backend: Backend) async throws {
        try await backend.run { test in
            let groups: [WorkerGroup] = [.transcript, .privateCloud]
            try await test.handOff.enable(audioGroups: groups, eventGroups: [.record], in: [test.partition])
            let session = TestSession(user: "u1")
            let registered = try await test.register(session)
            _ = try await test.handOff.end(session.ending(epoch: registered.epoch), in: test.partition)
            // A group that is not enabled does not count, done or not.
            for group in [WorkerGroup.audioBytes, .transcript] {
                let grant = try await test.acquire(group)
                let done = lane(session, next: 5, isDone: true)
                #expect(try await test.commit(grant.token, 1, [done], group: group) == .applied)
                #expect(try await test.session(session, group)?.progress.isDone == true)
                #expect(try await test.session(session)?.isCompleted == false)
            }
            let grant = try await test.acquire(.privateCloud)
            #expect(try await test.commit(grant.token, 1, [lane(session, next: 3)], group: .privateCloud) == .applied)
            #expect(try await test.session(session)?.isCompleted == false)
            let done = lane(session, next: 5, isDone: true)
            #expect(try await test.commit(grant.token, 2, [done], group: .privateCloud) == .applied)
            let completed = try #require(try await test.session(session))
            #expect(completed.isCompleted && completed.progress.isDone && completed.progress.next == 5)
        }
    }

    @Test("A marker passed stays passed", arguments: Backend.allCases)
    func doneStays(backend: Backend) async throws {
        try await backend.run { test in
            let session = TestSession(user: "u1")
            try await test.register(session)
            let grant = try await test.acquire()
            #expect(try await test.commit(grant.token, 1, [lane(session, next: 5, isDone: true)]) == .applied)
            #expect(try await test.commit(grant.token, 2, [lane(session, next: 6)]) == .applied)
            #expect(try await test.session(session)?.progress == LaneProgress(next: 6, isDone: true))
        }
    }

    @Test(
        "A commit for a session nobody knows writes its events and no ghost of a session", arguments: Backend.allCases)
    func unknownSession(backend: Backend) async throws {
        try await backend.run { test in
            let ghost = TestSession(user: "u1")
            let grant = try await test.acquire()
            let lane = lane(ghost, events: ["kept"], finals: [final(ghost, 0)], isDone: true)
            #expect(try await test.commit(grant.token, 1, [lane]) == .applied)
            #expect(try await test.events() == ["kept"])
            #expect(try await test.session(ghost) == nil)
            #expect(try await test.handOff.finals(of: ghost.id, in: test.partition).isEmpty)
            // Still free to be registered.
            try await test.register(ghost)
        }
    }

    @Test("A position for a group that does not exist is refused and nothing is written", arguments: Backend.allCases)
    func missingGroup(backend: Backend) async throws {
        try await backend.run { test in
            let grant = try await test.acquire(.coordinator, stream: nil)
            let position = Commit.Position(position: StreamPosition(milliseconds: 1, sequence: 0), entriesRead: 1)
            let lane = Commit.Lane(session: nil, progress: LaneProgress(), events: ["never"])
            let refusal = await handOffError {
                _ = try await test.commit(grant.token, 1, position: position, [lane], group: .coordinator)
            }
            #expect(refusal?.code == .refused && refusal?.message.contains("NOGROUP") == true)
            #expect(try await test.events().isEmpty)
            #expect(try await test.commit(grant.token, 1, group: .coordinator) == .applied)
        }
    }
}
