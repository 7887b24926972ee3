import Testing
import WorkerRuntime

@Suite("Lapse observer")
struct LapseObserverTests {
    private let start = ContinuousClock.now
    private let lapse = Duration.seconds(3)

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("What stays the same for long enough has lapsed, and what changes has not")
    func lapses() {
        var observer = LapseObserver<String, Int>()
        observer.observe(["a": 1, "b": 1], at: at(0))
        observer.observe(["a": 1, "b": 2], at: at(2))
        #expect(!observer.hasLapsed("a", after: lapse, at: at(2)))
        observer.observe(["a": 1, "b": 2], at: at(3))
        #expect(observer.hasLapsed("a", after: lapse, at: at(3)))
        #expect(!observer.hasLapsed("b", after: lapse, at: at(3)))
        observer.observe(["a": 2, "b": 2], at: at(5))
        #expect(!observer.hasLapsed("a", after: lapse, at: at(5)))
        #expect(observer.hasLapsed("b", after: lapse, at: at(5)))
        #expect(!observer.hasLapsed("unknown", after: lapse, at: at(5)))
    }

    @Test("A loss of contact starts every observation over")
    func contactLost() {
        var observer = LapseObserver<String, Int>()
        observer.observe(["a": 1], at: at(0))
        observer.contactLost(at: at(10))
        observer.observe(["a": 1], at: at(11))
        #expect(!observer.hasLapsed("a", after: lapse, at: at(12)))
        #expect(observer.hasLapsed("a", after: lapse, at: at(13)))
        #expect(observer.age(of: "a", at: at(13)) == .seconds(13))
    }

    @Test("A key that goes away is forgotten")
    func forgets() {
        var observer = LapseObserver<String, Int>()
        observer.observe(["a": 1], at: at(0))
        observer.observe([:], at: at(1))
        observer.observe(["a": 1], at: at(9))
        #expect(!observer.hasLapsed("a", after: lapse, at: at(9)))
        #expect(observer.age(of: "a", at: at(9)) == .zero && observer.value(of: "a") == 1)
    }

    @Test("An absence counts from when it is first asked about, in unbroken contact")
    func absence() {
        var observer = LapseObserver<String, Int>()
        let absence1 = observer.hasBeenAbsent("a", for: lapse, at: at(0))
        #expect(!absence1)
        let absence2 = observer.hasBeenAbsent("a", for: lapse, at: at(3))
        #expect(absence2)
        observer.contactLost(at: at(4))
        let absence3 = observer.hasBeenAbsent("a", for: lapse, at: at(5))
        #expect(!absence3)
        observer.observe(["a": 1], at: at(6))
        let absence4 = observer.hasBeenAbsent("a", for: lapse, at: at(20))
        #expect(!absence4)
        observer.observe([:], at: at(21))
        let absence5 = observer.hasBeenAbsent("a", for: lapse, at: at(22))
        #expect(!absence5)
        observer.forgetAbsences(except: [])
        let absence6 = observer.hasBeenAbsent("a", for: lapse, at: at(30))
        #expect(!absence6)
    }
}
