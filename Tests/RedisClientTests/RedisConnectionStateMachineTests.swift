import NIOCore
import Testing

@testable import RedisClient

@Suite("What happens on a connection")
struct RedisConnectionStateMachineTests {
    private typealias Machine = RedisConnectionStateMachine<String>

    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private static func at(_ seconds: Int64) -> NIODeadline { now + .seconds(seconds) }

    private static func isWrite(_ action: Machine.SendAction) -> Bool {
        if case .write = action { true } else { false }
    }

    private static func failure(_ action: Machine.SendAction) -> RedisError.Code? {
        if case .fail(let error) = action { error.code } else { nil }
    }

    private static func success(_ action: Machine.ReceiveAction) -> (String, [RESPValue])? {
        if case .succeed(let promise, let replies) = action { (promise, replies) } else { nil }
    }

    private static func closing(_ action: Machine.ReceiveAction) -> RedisError? {
        if case .close(let error) = action { error } else { nil }
    }

    private static func message(_ kind: String, _ channel: String, _ last: RESPValue) -> RESPValue {
        .array([.bulk(ByteBuffer(string: kind)), .bulk(ByteBuffer(string: channel)), last])
    }

    @Test("Replies go to the pipelines in the order these were sent, as many as each expects")
    func order() throws {
        var machine = Machine(maximumPending: 8)
        #expect(Self.isWrite(machine.send("a", expected: 2, deadline: nil)))
        #expect(Self.isWrite(machine.send("b", expected: 1, deadline: nil)))
        #expect(Self.success(machine.received(.integer(1))) == nil)
        let first = try #require(Self.success(machine.received(.error("ERR no"))))
        #expect(first.0 == "a" && first.1 == [.integer(1), .error("ERR no")])
        let second = try #require(Self.success(machine.received(.null)))
        #expect(second.0 == "b" && second.1 == [.null])
        #expect(machine.close(RedisError(.outcomeUnknown, "over")).promises.isEmpty)
    }

    @Test("Past the bound a pipeline is refused and nothing is written")
    func bound() {
        var machine = Machine(maximumPending: 2)
        _ = machine.send("a", expected: 1, deadline: nil)
        _ = machine.send("b", expected: 1, deadline: nil)
        #expect(Self.failure(machine.send("c", expected: 1, deadline: nil)) == .overloaded)
        _ = machine.received(.null)
        #expect(Self.isWrite(machine.send("d", expected: 1, deadline: nil)))
    }

    @Test("Closing hands out every pending promise in order, once, and refuses what comes later")
    func close() {
        var machine = Machine(maximumPending: 8)
        for name in ["a", "b", "c"] { _ = machine.send(name, expected: 1, deadline: nil) }
        _ = machine.received(.null)
        let (promises, error) = machine.close(RedisError(.outcomeUnknown, "lost"))
        #expect(promises == ["b", "c"])
        #expect(error.code == .outcomeUnknown && error.message == "lost")
        let isClosed = machine.isClosed
        #expect(isClosed)
        #expect(machine.close(RedisError(.outcomeUnknown, "again")).promises.isEmpty)
        guard case .fail(let refusal) = machine.send("d", expected: 1, deadline: nil)
        else { return #expect(Bool(false), "a closed connection took a pipeline") }
        #expect(refusal.code == .notConnected && refusal.message == "the connection is closed: lost")
        #expect(Self.success(machine.received(.null)) == nil)
    }

    @Test("The reason a server gives for hanging up is kept")
    func refusal() {
        var machine = Machine(maximumPending: 8)
        _ = machine.send("a", expected: 3, deadline: nil)
        _ = machine.received(.error("ERR max number of clients reached"))
        let (_, error) = machine.close(RedisError(.outcomeUnknown, "lost"))
        #expect(error.message.contains("max number of clients reached"))
    }

    @Test("A reply that nothing asked for closes the connection; an error among them is passed on")
    func unsolicited() {
        var machine = Machine(maximumPending: 8)
        #expect(Self.closing(machine.received(.simple("OK")))?.code == .protocolViolation)
        #expect(Self.closing(machine.received(.error("ERR shutting down")))?.message == "ERR shutting down")
    }

    @Test("The timer is armed for the head only, and again for the next head")
    func timer() {
        var machine = Machine(maximumPending: 8)
        _ = machine.send("a", expected: 1, deadline: Self.at(5))
        #expect(machine.timerToArm() == Self.at(5))
        _ = machine.send("b", expected: 1, deadline: Self.at(6))
        #expect(machine.timerToArm() == nil, "it is armed already")
        _ = machine.received(.null)
        #expect(machine.timerToArm() == nil, "it fires early enough for the next head")
        #expect(machine.timerFired(now: Self.at(5)) == nil, "the head it was armed for is gone")
        #expect(machine.timerToArm() == Self.at(6))
        #expect(machine.timerFired(now: Self.at(6))?.code == .outcomeUnknown)
    }

    @Test("A pipeline without a deadline waits for ever; the one behind it counts once it is the head")
    func noDeadline() {
        var machine = Machine(maximumPending: 8)
        _ = machine.send("blocking", expected: 1, deadline: nil)
        _ = machine.send("a", expected: 1, deadline: Self.at(5))
        #expect(machine.timerToArm() == nil)
        _ = machine.received(.null)
        #expect(machine.timerToArm() == Self.at(5))
        _ = machine.received(.null)
        #expect(machine.timerFired(now: Self.at(5)) == nil)
        #expect(machine.timerToArm() == nil)
    }

    @Test("A head with an earlier deadline arms the timer earlier")
    func earlierDeadline() {
        var machine = Machine(maximumPending: 8)
        _ = machine.send("patient", expected: 1, deadline: Self.at(60))
        _ = machine.send("a", expected: 1, deadline: Self.at(5))
        #expect(machine.timerToArm() == Self.at(60))
        _ = machine.received(.null)
        #expect(machine.timerToArm() == Self.at(5))
    }

    @Test("A subscription succeeds when every channel is confirmed, and messages pass also before that")
    func subscription() throws {
        var machine = Machine(maximumPending: 8)
        #expect(Self.isWrite(machine.subscribe("s", channels: 2, deadline: nil)))
        #expect(Self.failure(machine.send("a", expected: 1, deadline: nil)) == .notConnected)
        #expect(Self.success(machine.received(Self.message("subscribe", "x", .integer(1)))) == nil)
        guard
            case .message("x", let early) = machine.received(
                Self.message("message", "x", .bulk(ByteBuffer(string: "1"))))
        else { return #expect(Bool(false), "a message was expected") }
        #expect(early == ByteBuffer(string: "1"))
        #expect(Self.success(machine.received(Self.message("subscribe", "y", .integer(2))))?.0 == "s")
        guard case .message("y", _) = machine.received(Self.message("message", "y", .bulk(ByteBuffer())))
        else { return #expect(Bool(false), "a message was expected") }
    }

    @Test("A refused or malformed subscription closes the connection with the reason")
    func badSubscription() {
        var machine = Machine(maximumPending: 8)
        _ = machine.subscribe("s", channels: 1, deadline: nil)
        #expect(Self.closing(machine.received(.error("NOPERM no channel")))?.prefix == "NOPERM")
        #expect(Self.closing(machine.received(.integer(3)))?.code == .protocolViolation)
        #expect(Self.closing(machine.received(Self.message("message", "x", .null)))?.code == .protocolViolation)
        #expect(Self.closing(machine.received(Self.message("smessage", "x", .null)))?.code == .protocolViolation)
    }

    @Test("A connection with something pending does not turn into a subscription")
    func lateSubscription() {
        var machine = Machine(maximumPending: 8)
        _ = machine.send("a", expected: 1, deadline: nil)
        #expect(Self.failure(machine.subscribe("s", channels: 1, deadline: nil)) == .overloaded)
        #expect(Self.success(machine.received(.null))?.0 == "a")
    }

    @Test("A subscription that hears nothing between two pings is given up, and any message counts as life")
    func pings() {
        var machine = Machine(maximumPending: 8)
        func step(_ action: Machine.PingAction) -> String {
            switch action {
            case .ping: "ping"
            case .close: "close"
            case .stop: "stop"
            }
        }
        #expect(step(machine.pingDue()) == "stop")
        _ = machine.subscribe("s", channels: 1, deadline: nil)
        _ = machine.received(Self.message("subscribe", "x", .integer(1)))
        #expect(step(machine.pingDue()) == "ping")
        _ = machine.received(.array([.bulk(ByteBuffer(string: "pong")), .bulk(ByteBuffer())]))
        #expect(step(machine.pingDue()) == "ping")
        _ = machine.received(Self.message("message", "x", .bulk(ByteBuffer())))
        #expect(step(machine.pingDue()) == "ping")
        #expect(step(machine.pingDue()) == "close")
    }
}
