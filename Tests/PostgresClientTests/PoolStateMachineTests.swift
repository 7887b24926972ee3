import Testing

@testable import PostgresClient

@Suite("The pool's decisions")
struct PoolStateMachineTests {
    private let now = ContinuousClock.now
    private var later: ContinuousClock.Instant { now + .seconds(100) }

    /// What the machine answered, comparable and without its connections' types.
    private enum Answer: Equatable {
        case use(String)
        case open
        case wait
        case full
        case closed
    }

    private func acquire(_ machine: inout PoolStateMachine<String>, _ waiter: UInt64) -> Answer {
        switch machine.acquire(waiter) {
        case .use(let connection, _): .use(connection)
        case .open: .open
        case .wait: .wait
        case .refuseFull: .full
        case .refuseClosed: .closed
        }
    }

    private enum Return: Equatable {
        case keep
        case hand(UInt64)
        case close(UInt64?)
    }

    private func release(
        _ machine: inout PoolStateMachine<String>, _ connection: String, isReusable: Bool = true,
        retiresAt: ContinuousClock.Instant? = nil, idleMaximum: Duration = .seconds(3_600)
    ) -> Return {
        let release = machine.release(
            connection, isReusable: isReusable, retiresAt: retiresAt ?? later, idleMaximum: idleMaximum, at: now)
        switch release {
        case .keep: return .keep
        case .hand(let waiter): return .hand(waiter)
        case .close(let waiter): return .close(waiter)
        }
    }

    @Test("Connections are opened up to the bound, then callers wait, then they are refused")
    func bounds() {
        var machine = PoolStateMachine<String>(maximumConnections: 2, maximumWaiters: 2)
        #expect(acquire(&machine, 1) == .open)
        #expect(acquire(&machine, 2) == .open)
        #expect(acquire(&machine, 3) == .wait)
        #expect(acquire(&machine, 4) == .wait)
        #expect(acquire(&machine, 5) == .full)
        #expect(machine.openCount == 2)
        #expect(machine.idleCount == 0)
        #expect(machine.waitingCount == 2)
    }

    @Test("The first to wait is the first to be served")
    func order() {
        var machine = PoolStateMachine<String>(maximumConnections: 1, maximumWaiters: 9)
        #expect(acquire(&machine, 1) == .open)
        for waiter: UInt64 in 2...5 { #expect(acquire(&machine, waiter) == .wait) }
        let wasWaiting = [machine.abandon(3), machine.abandon(3)]
        #expect(wasWaiting == [true, false])
        #expect(release(&machine, "a") == .hand(2))
        #expect(release(&machine, "a", isReusable: false) == .close(4))
        let next = machine.freeSlot()
        #expect(next == 5)
        #expect(release(&machine, "b") == .keep)
        #expect(machine.idleCount == 1)
    }

    @Test("The connection used last is used next, so that an unneeded one ages")
    func lastInFirstOut() {
        var machine = PoolStateMachine<String>(maximumConnections: 2, maximumWaiters: 1)
        #expect(acquire(&machine, 1) == .open)
        #expect(acquire(&machine, 2) == .open)
        #expect(release(&machine, "a") == .keep)
        #expect(release(&machine, "b") == .keep)
        #expect(acquire(&machine, 3) == .use("b"))
        #expect(acquire(&machine, 4) == .use("a"))
    }

    @Test("A connection that is broken or too old is closed and its slot is free again")
    func discards() {
        var machine = PoolStateMachine<String>(maximumConnections: 1, maximumWaiters: 1)
        #expect(acquire(&machine, 1) == .open)
        #expect(release(&machine, "a", isReusable: false) == .close(nil))
        #expect(machine.openCount == 0)
        #expect(acquire(&machine, 2) == .open)
        #expect(release(&machine, "b", retiresAt: now) == .close(nil))
        #expect(acquire(&machine, 3) == .open)
    }

    @Test("Idle connections retire at their time and not before")
    func retirement() {
        var machine = PoolStateMachine<String>(maximumConnections: 2, maximumWaiters: 1)
        #expect(acquire(&machine, 1) == .open)
        #expect(acquire(&machine, 2) == .open)
        #expect(machine.nextRetirement == nil)
        #expect(release(&machine, "late", retiresAt: now + .seconds(9)) == .keep)
        #expect(release(&machine, "early", retiresAt: now + .seconds(5)) == .keep)
        #expect(machine.nextRetirement == now + .seconds(5))
        let retired = [machine.retire(at: now + .milliseconds(4_999)), machine.retire(at: now + .seconds(5))]
        #expect(retired == [[], ["early"]])
        #expect(machine.openCount == 1)
        #expect(machine.nextRetirement == now + .seconds(9))
    }

    @Test("A connection that nobody uses retires before its age")
    func idleness() {
        var machine = PoolStateMachine<String>(maximumConnections: 1, maximumWaiters: 1)
        #expect(acquire(&machine, 1) == .open)
        #expect(release(&machine, "a", retiresAt: now + .seconds(9), idleMaximum: .seconds(2)) == .keep)
        #expect(machine.nextRetirement == now + .seconds(2))
        #expect(machine.retire(at: now + .seconds(2)) == ["a"])
    }

    @Test("A shut-down pool gives up what is idle, refuses everybody and closes what comes back")
    func shutDown() {
        var machine = PoolStateMachine<String>(maximumConnections: 2, maximumWaiters: 2)
        #expect(acquire(&machine, 1) == .open)
        #expect(acquire(&machine, 2) == .open)
        #expect(release(&machine, "a") == .keep)
        let remains = machine.shutDown()
        #expect(remains.idle == ["a"])
        #expect(remains.waiters.isEmpty)
        #expect(acquire(&machine, 3) == .closed)
        #expect(release(&machine, "b") == .close(nil))
        #expect(machine.openCount == 0)
    }

    @Test("Bounds below one act as one")
    func leastBounds() {
        var machine = PoolStateMachine<String>(maximumConnections: 0, maximumWaiters: -1)
        #expect(acquire(&machine, 1) == .open)
        #expect(acquire(&machine, 2) == .wait)
        #expect(acquire(&machine, 3) == .full)
    }

    @Test("No sequence of events breaks the bounds, loses a waiter or serves one twice", arguments: 1...20)
    func randomWalk(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var machine = PoolStateMachine<String>(maximumConnections: 3, maximumWaiters: 4)
        var leased = 0
        var waiting: [UInt64] = []
        var next: UInt64 = 0
        for _ in 0..<2_000 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1, 2:
                next += 1
                switch acquire(&machine, next) {
                case .use, .open: leased += 1
                case .wait: waiting.append(next)
                case .full: #expect(waiting.count == 4)
                case .closed: Issue.record("nobody closed the pool")
                }
            case 3 where leased > 0:
                let isReusable = Bool.random(using: &random)
                switch release(&machine, "c", isReusable: isReusable) {
                case .keep: leased -= 1
                case .hand(let waiter), .close(.some(let waiter)):
                    #expect(waiter == waiting.first)
                    waiting = Array(waiting.dropFirst())
                case .close(nil): leased -= 1
                }
            case 4 where !waiting.isEmpty:
                let waiter = waiting.remove(at: Int.random(in: 0..<waiting.count, using: &random))
                let wasWaiting = machine.abandon(waiter)
                #expect(wasWaiting)
            default:
                _ = machine.retire(at: Bool.random(using: &random) ? now : later)
            }
            #expect(machine.openCount <= 3)
            #expect(machine.openCount - machine.idleCount == leased)
            #expect(machine.waitingCount == waiting.count)
            #expect(machine.idleCount == 0 || waiting.isEmpty)
        }
    }
}

/// Random numbers that are the same in every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
