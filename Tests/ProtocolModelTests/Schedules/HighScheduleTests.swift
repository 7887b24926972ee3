import Testing

/// The schedules of protocol.md, section 2, as far as they are about the hand-off.
@Suite("Protocol model: high schedules")
struct HighScheduleTests {
    @Test("H1: after a stall of Redis nobody who lives is ended", arguments: [true, false])
    func stall(followsTheRule: Bool) throws {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.lapseNeedsContact))
        let session = schedule.open(0, at: 0)
        schedule.take(.beat(0))
        schedule.pump(.gateway(0))
        schedule.take(.observe(0))
        schedule.pump(.coordinator(0))
        schedule.take(.stall(true), .beat(0))
        for _ in 0..<10 { schedule.take(.observe(0), .cut(.coordinator(0), keeps: false)) }
        // The coordinator's look is the first command that the store executes again.
        schedule.take(.stall(false), .observe(0))
        schedule.pump(.coordinator(0), .gateway(0))
        #expect((schedule.store.sessions[session]?.end == nil) == followsTheRule)
        #expect(schedule.finish() == [])
    }

    @Test("H1: a lapsed lease that nobody took stays valid for its owner")
    func lapsedLease() {
        var schedule = Schedule(.small())
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.own(.worker(0))
        schedule.absorb(0)
        schedule.take(.stop(.worker(0)), .go(.worker(0)), .commit(0, only: nil))
        schedule.pump(.worker(0))
        #expect(schedule.frames(of: 0) == [0, 1])
        #expect(schedule.finish() == [])
    }

    @Test("H2: a paused coordinator's end comes after the device went on elsewhere")
    func lateEnd() throws {
        var schedule = Schedule(.small())
        let old = schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        for _ in 0..<CoordinatorModel.lapse { schedule.take(.observe(0)) }
        schedule.pump(.coordinator(0))
        schedule.take(.observe(0), .execute(.coordinator(0)), .deliver(.coordinator(0)))
        schedule.take(.stop(.coordinator(0)), .unlink(0))
        let new = schedule.open(0, at: 1)
        let end = try #require(schedule.store.sessions[old]?.end)
        schedule.take(.execute(.coordinator(0)))
        #expect(schedule.store.sessions[old]?.end == end)
        #expect(schedule.store.sessions[new]?.end == nil)
        #expect(schedule.finish() == [])
    }

    @Test("H2: a conversation that a device just continued is not closed")
    func lateClose() throws {
        var schedule = Schedule(.small())
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.take(.unlink(0), .end(gateway: 0, session: session))
        schedule.pump(.gateway(0))
        schedule.own(.coordinator(0))
        schedule.take(.settle(0, conversation: session, isTimedOut: true))
        schedule.open(0, at: 1)
        schedule.pump(.coordinator(0))
        #expect(schedule.store.conversations[session]?.phase == .open)
        #expect(schedule.finish() == [])
    }

    @Test("H3: a conversation waits for its transcription, however long that is away")
    func slowWorkers() throws {
        var schedule = Schedule(.small())
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 4)
        schedule.take(.bye(0))
        #expect(schedule.world.devices[0].link != nil)
        schedule.take(.receive(0))
        schedule.pump(.gateway(0))
        schedule.own(.coordinator(0))
        for _ in 0..<5 {
            schedule.take(.settle(0, conversation: session, isTimedOut: true))
            schedule.pump(.coordinator(0))
        }
        #expect(schedule.store.conversations[session]?.phase == .closing)
        #expect(schedule.finish() == [])
        #expect(schedule.store.conversations[session]?.times == 1)
    }

    @Test("H8: a read whose reply is lost takes nothing away", arguments: [true, false])
    func lostRead(followsTheRule: Bool) {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.positionMovesInCommit))
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.own(.worker(0))
        schedule.take(.read(0, count: 10), .execute(.worker(0)), .kill(.worker(0)))
        schedule.own(.worker(1))
        schedule.absorb(1)
        #expect((schedule.finish() == []) == followsTheRule)
    }

    /// Frames are appended and not acknowledged; the gateway dies; the session is ended; the device resumes.
    private func resumed(_ configuration: Configuration) -> Schedule {
        var schedule = Schedule(configuration)
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 1)
        schedule.say(0, 2)
        schedule.take(.flush(gateway: 0, session: session), .execute(.gateway(0)), .kill(.gateway(0)))
        schedule.watch(0)
        schedule.open(0, at: 1)
        schedule.deliver(0, 3)
        return schedule
    }

    @Test("H9: what was appended and not acknowledged before a resume is stored once")
    func resume() {
        var schedule = resumed(.small())
        #expect(schedule.store.sessions.count == 2)
        #expect(schedule.finish() == [])
        #expect(schedule.frames(of: 0) == [0, 1, 2, 3])
        var broken = resumed(.small().without(\.inheritsNext))
        #expect(broken.finish() != [])
    }

    @Test("H9: a lane opens only when the group is through with the session before", arguments: [true, false])
    func resumeBesideTheOldLane(followsTheRule: Bool) {
        var schedule = resumed(followsTheRule ? .small() : .small().without(\.waitsForPredecessor))
        schedule.own(.worker(0))
        schedule.absorb(0)
        let lanes = schedule.world.workers[0].lanes
        #expect(lanes.count == (followsTheRule ? 1 : 2))
        #expect((schedule.finish() == []) == followsTheRule)
    }

    @Test("H9: a resume takes a live session over, and its old gateway learns of it")
    func takeOver() {
        var schedule = Schedule(.small())
        let old = schedule.open(0, at: 0)
        schedule.deliver(0, 1)
        schedule.say(0, 1)
        schedule.take(.unlink(0))
        schedule.open(0, at: 1)
        #expect(schedule.store.sessions[old]?.end != nil)
        schedule.deliver(0, 2)
        schedule.take(.flush(gateway: 0, session: old))
        schedule.pump(.gateway(0))
        #expect(schedule.world.gateways[0].sessions.isEmpty)
        #expect(schedule.finish() == [])
        #expect(schedule.frames(of: 0) == [0, 1, 2, 3])
    }

    @Test("H9: no return to a session that lacks what another acknowledged", arguments: [true, false])
    func returnToAnOldSession(followsTheRule: Bool) {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.reattachesOnlyWhole))
        schedule.open(0, at: 0)
        schedule.take(.unlink(0))
        schedule.open(0, at: 1)
        schedule.deliver(0, 2)
        schedule.take(.unlink(0), .connect(device: 0, gateway: 0))
        schedule.pump(.gateway(0))
        schedule.hearAll(0)
        schedule.say(0, 1)
        let received = schedule.world.devices[0].link.flatMap {
            schedule.world.gateways[0].sessions[$0.session]?.received
        }
        #expect((received == 3) == followsTheRule)
    }

    @Test("H10: what a failover takes back is reported as lost, frame by frame, and nothing else is")
    func rollback() {
        var schedule = Schedule(.small())
        schedule.open(0, at: 0)
        schedule.deliver(0, 1)
        schedule.take(.snapshot)
        schedule.deliver(0, 2)
        #expect(schedule.world.devices[0].forgotten == 3)
        schedule.take(.failover)
        #expect(schedule.world.devices[0].excused == [1, 2])
        schedule.open(0, at: 1)
        schedule.deliver(0, 1)
        #expect(schedule.finish() == [])
        #expect(schedule.frames(of: 0) == [0, 3])
        #expect(schedule.lost(of: 0) == [1, 2])
    }

    @Test("H11: a gateway that restarts under its name ends what it had before", arguments: [true, false])
    func restart(followsTheRule: Bool) {
        let configuration = Configuration.small { $0.resumes = false }
        var schedule = Schedule(followsTheRule ? configuration : configuration.without(\.drawsIncarnations))
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.take(.kill(.gateway(0)), .start(.gateway(0)))
        schedule.pump(.gateway(0))
        schedule.take(.observe(0))
        schedule.pump(.coordinator(0))
        #expect((schedule.store.sessions[session]?.end != nil) == followsTheRule)
        #expect((schedule.finish() == []) == followsTheRule)
    }

    @Test("C4, H11: a session whose end a failover took back is ended again", arguments: [true, false])
    func endTakenBack(followsTheRule: Bool) {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.renewsIncarnation))
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 4)
        schedule.take(.snapshot, .bye(0), .receive(0))
        schedule.pump(.gateway(0))
        #expect(schedule.store.sessions[session]?.end != nil)
        schedule.take(.failover)
        #expect(schedule.store.sessions[session]?.end == nil)
        #expect((schedule.finish() == []) == followsTheRule)
    }
}
