import NIOCore
import Testing

@testable import EarshotClient

/// A machine with a clock of its own.
private struct Bench {
    var machine: UploadMachine
    var now = ContinuousClock.now

    init(_ rules: UploadMachine.Rules = UploadMachine.Rules()) { machine = UploadMachine(rules: rules, at: now) }

    mutating func offer(_ count: Int) {
        for _ in 0..<count {
            machine.offer(UploadFrame(payload: ByteBuffer(integer: UInt8(1)), duration: .milliseconds(20)))
        }
    }

    mutating func step() -> UploadMachine.Step { machine.step(at: now) }

    /// Sends what may be sent, and returns how many messages that were and what came after them.
    mutating func sendAll() -> (count: Int, then: UploadMachine.Step) {
        var count = 0
        while true {
            let step = step()
            guard case .send = step else { return (count, step) }
            count += 1
        }
    }

    mutating func open(_ session: String = "s", next: UInt64 = 0, _ durability: UploadDurability = .fsynced) {
        _ = step()
        machine.connected(at: now)
        hear(
            .session(
                .init(session: session, conversation: "c", isResumed: next > 0, next: next, durability: durability)))
    }

    mutating func hear(_ message: UploadMessage) { machine.received(message, at: now) }
    mutating func ack(_ next: UInt64, _ durability: UploadDurability = .fsynced) {
        hear(.acknowledgement(next: next, durability: durability))
    }
    mutating func close(_ code: UInt16?, jitter: Double = 0.5) { machine.closed(code: code, at: now, jitter: jitter) }
}

@Suite("The state machine of an upload")
struct UploadMachineTests {
    @Test("Nothing is sent before the session is open; then everything, once")
    func start() {
        var bench = Bench()
        bench.offer(3)
        #expect(bench.step() == .connect(session: nil, from: 0))
        bench.machine.connected(at: bench.now)
        guard case .wait = bench.step() else { return #expect(Bool(false), "it must wait for the session") }
        bench.hear(.session(.init(session: "s", conversation: "c", isResumed: false, next: 0, durability: .fsynced)))
        #expect(bench.sendAll().count == 3)
        #expect(bench.machine.report.transmissionCount == 3)
    }

    @Test("A resume goes on with the number the server names, and names the oldest message that is there")
    func resume() {
        var bench = Bench()
        bench.offer(10)
        bench.open("one")
        #expect(bench.sendAll().count == 10)
        bench.ack(4)
        bench.close(nil)
        bench.now += .seconds(1)
        #expect(bench.step() == .connect(session: "one", from: 4))
        bench.machine.connected(at: bench.now)
        bench.hear(.session(.init(session: "two", conversation: "c", isResumed: true, next: 7, durability: .fsynced)))
        #expect(bench.sendAll().count == 3)
        #expect(bench.machine.report.acknowledgedCount == 7)
        #expect(bench.machine.report.sessions == ["one", "two"])
    }

    @Test("A server that lost what it had acknowledged gets it again, as far as it is there")
    func rollback() {
        var bench = Bench()
        bench.offer(300)
        bench.open("one", next: 0, .redis)
        _ = bench.sendAll()
        bench.ack(250, .redis)
        bench.close(nil)
        bench.now += .seconds(1)
        // 3 s of 20 ms stay behind the acknowledged number.
        #expect(bench.step() == .connect(session: "one", from: 100))
        bench.machine.connected(at: bench.now)
        bench.hear(.session(.init(session: "two", conversation: "c", isResumed: true, next: 110, durability: .redis)))
        #expect(bench.sendAll().count == 190)
    }

    @Test("A server that asks for what was said not to be there breaks the protocol: it would count wrongly")
    func gone() {
        var bench = Bench()
        bench.offer(10)
        bench.open("one")
        _ = bench.sendAll()
        bench.ack(4)
        bench.close(nil)
        bench.now += .seconds(1)
        #expect(bench.step() == .connect(session: "one", from: 4))
        bench.machine.connected(at: bench.now)
        bench.hear(.session(.init(session: "two", conversation: "c", isResumed: true, next: 3, durability: .fsynced)))
        #expect(bench.step() == .finish(.brokenProtocol))
    }

    @Test("A switch of conversation changes the session to resume by, and nothing else")
    func switched() {
        var bench = Bench()
        bench.offer(5)
        bench.open("one")
        #expect(bench.sendAll().count == 5)
        bench.hear(.session(.init(session: "two", conversation: "d", isResumed: true, next: 2, durability: .fsynced)))
        #expect(bench.sendAll().count == 0)
        bench.close(nil)
        bench.now += .seconds(1)
        #expect(bench.step() == .connect(session: "two", from: 0))
    }

    @Test("Pauses double with full jitter, begin anew after a session, and are not shorter than the server wants")
    func backoff() {
        var bench = Bench()
        bench.offer(1)
        for factor in [1, 2, 4, 8, 16, 32, 40, 40] {
            _ = bench.step()
            bench.machine.connectFailed(status: nil, retryAfter: nil, at: bench.now, jitter: 1)
            let until = bench.now + .milliseconds(250) * factor
            #expect(bench.step() == .wait(until: until))
            bench.now = until
        }
        bench.open()
        bench.close(nil, jitter: 1)
        #expect(bench.step() == .wait(until: bench.now + .milliseconds(250)))
        bench.now += .seconds(1)
        bench.open()
        bench.hear(.closing(reason: "draining", retryAfter: .seconds(4)))
        bench.close(1012, jitter: 1)
        #expect(bench.step() == .wait(until: bench.now + .seconds(4) + .milliseconds(250)))
        bench.now += .seconds(5)
        _ = bench.step()
        bench.machine.connectFailed(status: 503, retryAfter: .seconds(7), at: bench.now, jitter: 0)
        #expect(bench.step() == .wait(until: bench.now + .seconds(7)))
    }

    @Test(
        "It does not come back where it must not",
        arguments: [
            4009: UploadOutcome.takenOver, 1003: .closedByServer(code: 1003), 1008: .closedByServer(code: 1008),
        ] as [UInt16: UploadOutcome])
    func final(code: UInt16, outcome: UploadOutcome) {
        var bench = Bench()
        bench.offer(1)
        bench.open()
        bench.close(code)
        #expect(bench.step() == .finish(outcome))
    }

    @Test("It does not come back when it was refused for good", arguments: [400, 401, 403, 404])
    func refused(status: Int) {
        var bench = Bench()
        _ = bench.step()
        bench.machine.connectFailed(status: status, retryAfter: nil, at: bench.now, jitter: 0)
        #expect(bench.step() == .finish(.refused(status: status)))
    }

    @Test("It closes when everything is acknowledged and the results were waited for, and not before")
    func completed() {
        var rules = UploadMachine.Rules()
        rules.linger = .seconds(2)
        rules.lingerMax = .seconds(5)
        var bench = Bench(rules)
        bench.offer(2)
        bench.open()
        _ = bench.sendAll()
        bench.machine.sourceEnded(at: bench.now)
        guard case .wait = bench.step() else { return #expect(Bool(false), "nothing is acknowledged yet") }
        bench.ack(2)
        #expect(bench.step() == .wait(until: bench.now + .seconds(2)))
        bench.now += .seconds(1)
        bench.hear(.segments([]))
        #expect(bench.step() == .wait(until: bench.now + .seconds(2)))
        bench.now += .seconds(2)
        #expect(bench.step() == .close)
        bench.close(1000)
        #expect(bench.step() == .finish(.completed))
    }

    @Test("What is never acknowledged is said to be, in time")
    func unacknowledged() {
        var bench = Bench()
        bench.offer(2)
        bench.open()
        _ = bench.sendAll()
        bench.machine.sourceEnded(at: bench.now)
        for _ in 0..<130 {
            bench.now += .seconds(1)
            bench.ack(1)
            if bench.step() == .close { break }
        }
        bench.close(1000)
        #expect(bench.step() == .finish(.unacknowledged))
    }

    @Test("A server that owes a word and says none is left; one that owes nothing is not")
    func stalled() {
        var bench = Bench()
        bench.open()
        bench.now += .seconds(60)
        #expect(!bench.machine.isStalled(at: bench.now))
        bench.ack(0)
        bench.offer(1)
        _ = bench.sendAll()
        bench.now += .seconds(14)
        #expect(!bench.machine.isStalled(at: bench.now))
        bench.now += .seconds(1)
        #expect(bench.machine.isStalled(at: bench.now))
        #expect(bench.step() == .abandon)
        bench.close(nil)
        bench.now += .seconds(1)
        #expect(bench.step() == .connect(session: "s", from: 0))
    }

    @Test("Without any session for the whole of its patience it gives up")
    func unreachable() {
        var bench = Bench()
        bench.offer(1)
        while true {
            let step = bench.step()
            if case .finish(let outcome) = step {
                #expect(outcome == .unreachable)
                break
            }
            if case .wait(let until?) = step {
                bench.now = until
            } else {
                bench.machine.connectFailed(status: 503, retryAfter: nil, at: bench.now, jitter: 1)
            }
        }
    }

    @Test("A number that cannot be ends it")
    func broken() {
        var bench = Bench()
        bench.offer(3)
        bench.open("one", next: 4)
        #expect(bench.step() == .finish(.brokenProtocol))
        var second = Bench()
        second.offer(3)
        second.open()
        _ = second.sendAll()
        second.ack(4)
        #expect(second.step() == .finish(.brokenProtocol))
    }

    @Test("Where storage counts, the number to go on with acknowledges nothing")
    func stored() {
        var bench = Bench()
        bench.offer(10)
        bench.open("one", next: 0, .stored)
        _ = bench.sendAll()
        bench.ack(3, .stored)
        bench.close(nil)
        bench.now += .seconds(1)
        bench.open("two", next: 8, .stored)
        #expect(bench.sendAll().count == 2)
        #expect(bench.machine.report.acknowledgedCount == 3)
        bench.ack(10, .stored)
        #expect(bench.machine.report.acknowledgedCount == 10)
    }
}
