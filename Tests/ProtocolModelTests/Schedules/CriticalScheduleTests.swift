import Testing

/// The schedules of protocol.md, section 1; C1 and C3 are in `ReadingBoundTests` and `PartUploadTests`.
@Suite("Protocol model: critical schedules")
struct CriticalScheduleTests {
    /// G1 is stopped with appends on its way; its session is ended, passed and forgotten; then it wakes.
    private func wokenGateway(_ configuration: Configuration) -> Schedule {
        var schedule = Schedule(configuration)
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.say(0, 2)
        schedule.take(.flush(gateway: 0, session: session), .stop(.gateway(0)))
        schedule.own(.worker(0))
        schedule.watch(0)
        schedule.work(0)
        schedule.take(.execute(.gateway(0)), .go(.gateway(0)))
        schedule.pump(.gateway(0))
        return schedule
    }

    @Test("C2: a woken gateway appends behind the end marker and acknowledges nothing of it")
    func appendBehindTheEnd() throws {
        var schedule = wokenGateway(.small())
        let session = try #require(schedule.store.sessions.values.first)
        let end = try #require(session.end)
        #expect(schedule.store.entries.contains { $0.position > end && !$0.isMarker })
        #expect(schedule.world.devices[0].acknowledged == 2)
        #expect(schedule.world.devices[0].link == nil)
        #expect(schedule.finish() == [])
        #expect(schedule.frames(of: 0) == [0, 1, 2, 3])
    }

    @Test("C2: without the tail check acknowledged frames are gone")
    func withoutTailCheck() {
        let schedule = wokenGateway(.small().without(\.checksTail))
        #expect(schedule.violations.contains { $0.contains("acknowledged") })
    }

    @Test("C2: without the registry late entries open a ghost lane")
    func ghostLane() {
        var schedule = wokenGateway(.small().without(\.lanesComeFromRegistry))
        schedule.take(.kill(.worker(0)))
        schedule.own(.worker(1))
        schedule.absorb(1)
        #expect(schedule.world.workers[1].lanes.count == 1)
        #expect(schedule.finish() != [])
    }

    @Test("C2: a marker on the new connection is overtaken by appends of the old one")
    func overtakenMarker() {
        var schedule = Schedule(.small())
        let session = schedule.open(0, at: 0)
        schedule.say(0, 2)
        schedule.take(.flush(gateway: 0, session: session))
        schedule.say(0, 1)
        schedule.take(.end(gateway: 0, session: session))
        // The new connection's first append arrives, the old connection's rest comes behind the marker.
        schedule.take(.cut(.gateway(0), keeps: true))
        schedule.pump(.gateway(0))
        schedule.take(.late(0), .late(0), .late(0))
        #expect(schedule.store.entries.last?.isMarker == false)
        schedule.own(.worker(0))
        schedule.work(0)
        #expect(schedule.finish() == [])
        #expect(schedule.frames(of: 0) == [0, 1, 2, 3])
    }

    /// A replica that does not know A's lease takes over; B gets the same counter; A's commit comes late.
    private func repeatedCounter(_ configuration: Configuration) -> Schedule {
        var schedule = Schedule(configuration)
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.take(.snapshot)
        schedule.own(.worker(0))
        schedule.absorb(0)
        schedule.take(.commit(0, only: nil), .stop(.worker(0)), .failover, .beat(0), .beat(1))
        schedule.pump(.gateway(0), .gateway(1))
        schedule.open(0, at: 1)
        schedule.deliver(0, 1)
        schedule.own(.worker(1))
        schedule.absorb(1)
        schedule.take(.commit(1, only: nil))
        // A's commit was sent again on the new connection and is executed first.
        while !schedule.world[channel: .worker(0)].requests.isEmpty { schedule.take(.execute(.worker(0))) }
        schedule.pump(.worker(1))
        schedule.deliver(0, 1)
        return schedule
    }

    @Test("C4: after a failover repeats a lease's counter, the nonce refuses the old owner's commit")
    func repeatedToken() {
        var schedule = repeatedCounter(.small().without(\.voidsBeforeSending))
        #expect(schedule.world.refusedCommits == 1)
        #expect(schedule.finish() == [])
        #expect(schedule.frames(of: 0) == [0, 1, 2, 3])
        var broken = repeatedCounter(.small().without(\.voidsBeforeSending, \.drawsNonces))
        #expect(broken.finish() != [])
    }

    @Test("C4: a cursor ahead of the new primary sees nothing, unless it is void", arguments: [true, false])
    func cursorAhead(followsTheRule: Bool) {
        var schedule = Schedule(
            followsTheRule ? .small() : .small().without(\.voidsOnAnotherServer, \.voidsBeforeSending))
        schedule.own(.worker(0))
        schedule.open(0, at: 0)
        schedule.take(.snapshot)
        schedule.deliver(0, 3)
        schedule.absorb(0)
        schedule.take(.failover)
        #expect((schedule.finish() == []) == followsTheRule)
    }

    @Test("C4: a minimum computed before a failover and sent after it", arguments: [true, false])
    func staleMinimum(followsTheRule: Bool) {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.trimComputesMinimum))
        schedule.open(0, at: 0)
        schedule.deliver(0, 1)
        schedule.deliver(0, 1)
        schedule.deliver(0, 1)
        schedule.take(.snapshot)
        schedule.own(.worker(0))
        schedule.work(0)
        schedule.own(.coordinator(0))
        schedule.take(.observe(0))
        schedule.pump(.coordinator(0))
        schedule.take(.failover)
        schedule.own(.coordinator(0))
        schedule.take(.trim(0))
        schedule.pump(.coordinator(0))
        #expect(schedule.violations.contains { $0.contains("trimmed") } == !followsTheRule)
        #expect((schedule.finish() == []) == followsTheRule)
    }

    @Test("C5: a full server still commits, renews, ends and trims", arguments: [true, false])
    func full(followsTheRule: Bool) {
        let configuration = Configuration.small { $0.capacity = 2 }
        var schedule = Schedule(followsTheRule ? configuration : configuration.without(\.freesWhenFull))
        let session = schedule.open(0, at: 0)
        schedule.deliver(0, 1)
        schedule.deliver(0, 1)
        #expect(schedule.store.isFull)
        schedule.say(0, 1)
        schedule.take(.flush(gateway: 0, session: session))
        schedule.take(.execute(.gateway(0)), .deliver(.gateway(0)))
        #expect(schedule.world.devices[0].acknowledged == 2)
        #expect((schedule.finish() == []) == followsTheRule)
    }

    @Test("C6: a group that nobody runs pins nothing, unless it is enabled", arguments: [true, false])
    func unusedGroup(followsTheRule: Bool) throws {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.countsOnlyEnabledGroups))
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.deliver(0, 2)
        schedule.own(.worker(0))
        schedule.work(0)
        schedule.own(.coordinator(0))
        schedule.take(.trim(0))
        schedule.pump(.coordinator(0))
        #expect((schedule.store.entries.count == 1) == followsTheRule)
        #expect((schedule.finish() == []) == followsTheRule)
    }

    @Test("C7: a commit whose reply was lost is sent again", arguments: [true, false])
    func repeatedCommit(followsTheRule: Bool) {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.numbersCommits))
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.own(.worker(0))
        schedule.absorb(0)
        schedule.take(.commit(0, only: nil), .execute(.worker(0)), .cut(.worker(0), keeps: false))
        schedule.pump(.worker(0))
        #expect((schedule.finish() == []) == followsTheRule)
    }

    @Test("C7: a delayed first copy runs after a later commit", arguments: [true, false])
    func delayedCommit(followsTheRule: Bool) {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.numbersCommits))
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.own(.worker(0))
        schedule.absorb(0)
        schedule.take(.commit(0, only: nil), .cut(.worker(0), keeps: true))
        schedule.pump(.worker(0))
        schedule.deliver(0, 2)
        schedule.work(0)
        schedule.take(.late(0))
        #expect((schedule.finish() == []) == followsTheRule)
    }

    @Test("Fencing: a stopped worker's commit comes after a successor's", arguments: [true, false])
    func zombieCommit(followsTheRule: Bool) {
        var schedule = Schedule(followsTheRule ? .small() : .small().without(\.fencesCommits))
        schedule.open(0, at: 0)
        schedule.deliver(0, 2)
        schedule.own(.worker(0))
        schedule.absorb(0)
        schedule.take(.commit(0, only: nil), .stop(.worker(0)))
        schedule.own(.worker(1))
        schedule.work(1)
        schedule.take(.execute(.worker(0)), .go(.worker(0)))
        schedule.pump(.worker(0))
        #expect(schedule.world.refusedCommits == (followsTheRule ? 1 : 0))
        #expect((schedule.finish() == []) == followsTheRule)
    }
}
