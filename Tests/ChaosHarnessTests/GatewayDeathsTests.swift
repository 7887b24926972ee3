import ChaosHarness
import EarshotModel
import Testing

@Suite struct GatewayDeathsTests {
    private func effect(
        _ kind: Fault.Kind, _ target: String, _ began: Double, _ ended: Double, link: String? = nil
    ) -> FaultEffect {
        FaultEffect(
            Fault(at: began, kind: kind, target: target, link: link, duration: ended - began), began: began,
            ended: ended)
    }

    private func life(_ began: Double, _ ended: Double, _ reason: EndReason = .gatewayDead) -> GatewayDeaths.Life {
        .init(session: "s", gateway: "gateway-0", reason: reason.name, began: began, ended: ended)
    }

    @Test("A death is explained by a fault of that gateway at that time, and by no other")
    func time() {
        let deaths = GatewayDeaths([effect(.kill, "gateway-0", 100, 100), effect(.kill, "gateway-1", 300, 300)])
        #expect(deaths.explain(life(80, 110)))
        // Before it, long behind it, of a session that began behind it, and of another gateway.
        #expect(!deaths.explain(life(80, 90)))
        #expect(!deaths.explain(life(80, 130)))
        #expect(!deaths.explain(life(105, 112)))
        #expect(!deaths.explain(life(290, 305)))
    }

    @Test("A gateway that stands still may be called dead until it is seen again")
    func stop() {
        let deaths = GatewayDeaths([effect(.stop, "gateway-0", 100, 120)])
        #expect(deaths.explain(life(90, 108)))
        #expect(deaths.explain(life(90, 125)))
        #expect(!deaths.explain(life(90, 150)))
    }

    @Test("While Redis or the coordinator is away nobody can see it, and it is seen later")
    func blind() {
        let kill = effect(.kill, "gateway-0", 100, 100)
        for target in ["redis", "coordinator-1"] {
            let deaths = GatewayDeaths([effect(.stop, target, 105, 122), kill])
            #expect(deaths.explain(life(80, 135)))
            #expect(!deaths.explain(life(80, 140)))
        }
        #expect(!GatewayDeaths([effect(.stop, "webhook-0", 105, 122), kill]).explain(life(80, 135)))
        #expect(!GatewayDeaths([effect(.stop, "redis", 105, 122)]).explain(life(80, 110)))
    }

    @Test("Who was live on a gateway that was killed ends of that, or by its device's resume")
    func killed() {
        let deaths = GatewayDeaths([effect(.kill, "gateway-0", 100, 100), effect(.stop, "gateway-0", 200, 210)])
        let lives = [
            life(80, 110), life(80, 103, .superseded), life(80, 110, .clientClosed), life(80, 99, .clientClosed),
            life(101, 140, .clientClosed), life(190, 215, .clientClosed),
        ]
        let (kills, sessions, others) = deaths.killed(lives)
        #expect(kills == 1)
        #expect(sessions == 3)
        #expect(others.map(\.reason) == ["client_closed"])
        #expect(deaths.killed([]).sessions == 0)
    }
}
