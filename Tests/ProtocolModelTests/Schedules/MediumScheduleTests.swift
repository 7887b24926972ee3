import Testing

/// The schedules of protocol.md, section 3, as far as they are about the hand-off.
@Suite("Protocol model: medium schedules")
struct MediumScheduleTests {
    @Test("M1: after a read of unknown outcome the same entries are read again")
    func lostReadReply() {
        var schedule = Schedule(.small())
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.own(.worker(0))
        schedule.take(.read(0, count: 10), .execute(.worker(0)), .cut(.worker(0), keeps: false))
        schedule.work(0)
        #expect(schedule.frames(of: 0) == [0, 1])
        #expect(schedule.finish() == [])
    }

    @Test("M2: a partition is released behind the last commit, even when both come late", arguments: [true, false])
    func release(isLate: Bool) {
        var schedule = Schedule(.small())
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.own(.worker(0))
        schedule.absorb(0)
        schedule.take(.release(.worker(0)))
        if isLate {
            schedule.take(.kill(.worker(0)), .late(0), .late(0))
        } else {
            schedule.pump(.worker(0))
        }
        #expect(schedule.frames(of: 0) == [0, 1])
        schedule.take(.seek(.worker(1)))
        schedule.pump(.worker(1))
        #expect(schedule.world.workers[1].lease.token != nil)
        #expect(schedule.world.workers[1].cursor == schedule.store.entries.last?.position)
        #expect(schedule.finish() == [])
    }

    @Test("M5: nothing of a session follows the commit that passes its marker")
    func endedLast() throws {
        var schedule = Schedule(.small())
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 4)
        schedule.take(.bye(0), .receive(0))
        schedule.pump(.gateway(0))
        #expect(schedule.finish() == [])
        let outputs = schedule.store.events.compactMap { event -> StoreEvent.Output? in
            guard case .output(let output) = event, output.session == session else { return nil }
            return output
        }
        #expect(outputs.count { $0.isDone } == 1)
        #expect(outputs.last?.isDone == true)
    }

    /// A conversation begins to close and waits for the record; a device continues it meanwhile.
    private func continuedWhileClosing(_ configuration: Configuration) -> Schedule {
        var schedule = Schedule(configuration)
        let first = schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.take(.unlink(0), .end(gateway: 0, session: first))
        schedule.pump(.gateway(0))
        schedule.own(.worker(0))
        schedule.work(0)
        schedule.own(.coordinator(0))
        schedule.take(.settle(0, conversation: first, isTimedOut: true))
        schedule.pump(.coordinator(0))
        schedule.take(.record(10))
        let second = schedule.open(0, at: 1)
        schedule.deliver(0, 2)
        schedule.take(.bye(0), .receive(0))
        schedule.pump(.gateway(1))
        #expect(second != first)
        schedule.work(0)
        schedule.take(.settle(0, conversation: first, isTimedOut: true))
        schedule.pump(.coordinator(0))
        return schedule
    }

    @Test("M6: a conversation that was continued while it closed waits for the record of what was added")
    func continued() {
        var schedule = continuedWhileClosing(.small())
        #expect(schedule.finish() == [])
        let broken = continuedWhileClosing(.small().without(\.reopeningForgetsMark))
        #expect(broken.violations.contains { $0.contains("before the record has all of it") })
    }

    @Test("M6: two coordinators complete a conversation once", arguments: [true, false])
    func completedOnce(followsTheRule: Bool) {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.completesOnce))
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 4)
        schedule.take(.bye(0), .receive(0))
        schedule.pump(.gateway(0))
        schedule.own(.worker(0))
        schedule.work(0)
        schedule.own(.coordinator(0))
        schedule.take(.record(10))
        schedule.take(.settle(0, conversation: session, isTimedOut: true))
        schedule.take(.settle(0, conversation: session, isTimedOut: true))
        schedule.take(.execute(.coordinator(0)), .record(10))
        schedule.pump(.coordinator(0))
        #expect((schedule.finish() == []) == followsTheRule)
    }

    /// The first of three appends is refused for lack of memory; a trim makes room for the others.
    private func refusedInTheMiddle(_ configuration: Configuration) -> Schedule {
        var schedule = Schedule(configuration)
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 1)
        schedule.deliver(0, 1)
        schedule.own(.worker(0))
        schedule.work(0)
        schedule.own(.coordinator(0))
        for _ in 0..<2 {
            schedule.say(0, 1)
            schedule.take(.flush(gateway: 0, session: session))
        }
        schedule.take(.execute(.gateway(0)), .trim(0))
        schedule.pump(.coordinator(0), .gateway(0))
        schedule.absorb(0)
        return schedule
    }

    @Test("M10: behind a refused append nothing counts")
    func contiguity() {
        var schedule = refusedInTheMiddle(.small { $0.capacity = 2 })
        #expect(schedule.store.entries.contains { $0.first == 3 && !$0.isMarker })
        #expect(schedule.world.devices[0].acknowledged == 2)
        #expect(schedule.finish() == [])
        #expect(schedule.frames(of: 0) == [0, 1, 2, 3])
        var broken = refusedInTheMiddle(.small { $0.capacity = 2 }.without(\.takesOnlyContiguous))
        #expect(broken.finish() != [])
    }

    @Test("M12: what a killed gateway had not appended is still its device's")
    func unknownTail() {
        var schedule = Schedule(.small())
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 1)
        schedule.say(0, 2)
        schedule.take(.kill(.gateway(0)))
        schedule.watch(0)
        #expect(schedule.store.sessions[session]?.end != nil)
        #expect(schedule.store.sessions[session]?.appended == 1)
        #expect(schedule.world.devices[0].forgotten == 1)
        #expect(schedule.finish() == [])
        #expect(schedule.frames(of: 0) == [0, 1, 2, 3])
    }

    @Test("M14: a session that the new primary never knew is registered again, and its loss is named")
    func unknownSession() {
        var schedule = Schedule(.small())
        schedule.take(.snapshot)
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.take(.failover)
        #expect(schedule.store.sessions.isEmpty)
        #expect(schedule.finish() == [])
        #expect(schedule.lost(of: 0) == [0, 1])
        #expect(schedule.frames(of: 0) == [2, 3])
    }

    @Test("M16: the last of the enabled groups completes the session")
    func lastBit() {
        var schedule = Schedule(
            .small {
                $0.groups = [.transcript, .storage]
                $0.enabled = $0.groups
            })
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 4)
        schedule.take(.bye(0), .receive(0))
        schedule.pump(.gateway(0))
        schedule.own(.worker(2))
        schedule.work(2)
        #expect(schedule.store.sessions[session]?.isCompleted == false)
        schedule.own(.worker(0))
        schedule.work(0)
        #expect(schedule.store.sessions[session]?.isCompleted == true)
        #expect(schedule.finish() == [])
    }

    @Test("M17: a gateway whose session went elsewhere learns it without appending anything")
    func idleGateway() {
        var schedule = Schedule(.small())
        let old = schedule.open(0, at: 0)
        schedule.take(.unlink(0))
        schedule.open(0, at: 1)
        schedule.take(.check(gateway: 0, session: old))
        schedule.pump(.gateway(0))
        #expect(schedule.world.gateways[0].sessions.isEmpty)
        #expect(schedule.finish() == [])
    }
}
