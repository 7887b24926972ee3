import CoordinatorService
import EarshotModel
import Testing

@Suite struct GatewayWatchTests {
    private var limits: Limits {
        var limits = Limits()
        limits.gatewayLapse = .seconds(8)
        return limits
    }

    private func expect(
        _ watch: inout GatewayWatch, _ gateway: String, at now: ContinuousClock.Instant,
        _ expected: GatewayWatch.Death?, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let death = watch.death(of: gateway, at: now)
        #expect(death == expected, sourceLocation: sourceLocation)
    }

    @Test("A gateway is dead when its beat stood still for the lapse, in unbroken contact")
    func lapse() {
        var watch = GatewayWatch(limits: limits)
        let start = ContinuousClock.now
        watch.sawMembers(["gateway-0#a": 1], at: start)
        expect(&watch, "gateway-0#a", at: start + .seconds(7), nil)
        watch.sawMembers(["gateway-0#a": 1], at: start + .seconds(9))
        expect(&watch, "gateway-0#a", at: start + .seconds(9), .lapsed)
        watch.sawMembers(["gateway-0#a": 2], at: start + .seconds(10))
        expect(&watch, "gateway-0#a", at: start + .seconds(12), nil)
    }

    @Test("A stall of Redis kills nobody")
    func stall() {
        var watch = GatewayWatch(limits: limits)
        let start = ContinuousClock.now
        watch.sawMembers(["gateway-0#a": 1], at: start)
        watch.contactLost(at: start + .seconds(60))
        watch.sawMembers(["gateway-0#a": 1], at: start + .seconds(61))
        expect(&watch, "gateway-0#a", at: start + .seconds(61), nil)
        expect(&watch, "gateway-0#a", at: start + .seconds(70), .lapsed)
    }

    @Test("A later start of the same name ends the older one as soon as it beats")
    func superseded() {
        var watch = GatewayWatch(limits: limits)
        let start = ContinuousClock.now
        watch.sawMembers(["gateway-0#b": 1, "gateway-1#c": 1], at: start)
        expect(&watch, "gateway-0#a", at: start, nil)
        watch.sawMembers(["gateway-0#b": 2, "gateway-1#c": 1], at: start + .seconds(1))
        expect(&watch, "gateway-0#a", at: start + .seconds(1), .superseded)
        expect(&watch, "gateway-1#c", at: start + .seconds(1), nil)
    }

    @Test("An earlier start that a Redis remembers, which lost its last writes, ends nobody")
    func rolledBack() {
        var watch = GatewayWatch(limits: limits)
        let start = ContinuousClock.now
        watch.sawMembers(["gateway-0#b": 7], at: start)
        watch.sawMembers(["gateway-0#a": 5], at: start + .seconds(1))
        expect(&watch, "gateway-0#b", at: start + .seconds(1), nil)
        watch.sawMembers(["gateway-0#a": 5, "gateway-0#b": 1], at: start + .seconds(2))
        expect(&watch, "gateway-0#b", at: start + .seconds(2), nil)
        watch.sawMembers(["gateway-0#a": 5, "gateway-0#b": 2], at: start + .seconds(9))
        expect(&watch, "gateway-0#a", at: start + .seconds(9), .lapsed)
        expect(&watch, "gateway-0#b", at: start + .seconds(9), nil)
    }

    @Test("A gateway that is in no member set is dead after the lapse only")
    func absent() {
        var watch = GatewayWatch(limits: limits)
        let start = ContinuousClock.now
        watch.sawMembers([:], at: start)
        expect(&watch, "gateway-9#z", at: start, nil)
        expect(&watch, "gateway-9#z", at: start + .seconds(7), nil)
        expect(&watch, "gateway-9#z", at: start + .seconds(8), .absent)
    }
}
