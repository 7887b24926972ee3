import Testing

@testable import HTTPTransport

@Suite("How many exchanges a host has at once")
struct HostPacingTests {
    private let start = ContinuousClock.now

    /// Offers exchanges with a host, of ids beginning at one; returns those that begin.
    private func offer(
        _ ids: ClosedRange<UInt64>, to host: String = "https://a", _ pacing: inout HostPacing<UInt64>,
        after: Duration = .zero
    ) -> [UInt64] {
        ids.filter { pacing.offer($0, $0, to: host, at: start + after) }
    }

    @Test("64 begin at once; one more begins when one of them ends, in the order in which they came")
    func order() {
        var pacing = HostPacing<UInt64>()
        #expect(offer(1...66, &pacing) == Array(1...64))
        #expect(offer(67...67, to: "https://b", &pacing) == [67], "hosts do not wait for one another")
        #expect(pacing.expire(at: start + .milliseconds(24)) == [])
        #expect(pacing.ended(with: "https://a") == 65)
        #expect(pacing.ended(with: "https://a") == 66)
        #expect(pacing.ended(with: "https://a") == nil)
        #expect(offer(68...69, &pacing) == [68])
    }

    @Test("One that has waited for 25 ms begins, and the host has one more at a time from there on")
    func slow() {
        var pacing = HostPacing<UInt64>()
        _ = offer(1...65, &pacing)
        _ = offer(66...66, &pacing, after: .milliseconds(1))
        #expect(pacing.due == start + .milliseconds(25))
        #expect(pacing.expire(at: start + .milliseconds(25)) == [65])
        #expect(pacing.ended(with: "https://a") == 66)
        #expect(pacing.due == nil)
        #expect(pacing.ended(with: "https://a") == nil)
        #expect(offer(67...68, &pacing, after: .milliseconds(30)) == [67])
    }

    @Test("What a host needed is forgotten after a second: it drains to 64, and is found out anew")
    func memory() {
        var pacing = HostPacing<UInt64>()
        _ = offer(1...128, &pacing)
        #expect(pacing.expire(at: start + .milliseconds(25)).count == 64)
        #expect(pacing.expire(at: start + .milliseconds(1_100)) == [])
        #expect(offer(129...130, &pacing, after: .milliseconds(1_100)) == [])
        for _ in 1...64 { #expect(pacing.ended(with: "https://a") == nil) }
        #expect(pacing.ended(with: "https://a") == 129)
        #expect(pacing.expire(at: start + .milliseconds(1_125)) == [130])
    }

    @Test("One that is taken back does not begin, and a host that is done with begins anew")
    func withdrawn() {
        var pacing = HostPacing<UInt64>()
        _ = offer(1...66, &pacing)
        #expect(pacing.withdraw(65) == 65)
        #expect(pacing.withdraw(65) == nil)
        #expect(pacing.ended(with: "https://a") == 66)
        _ = offer(67...67, &pacing)
        #expect(pacing.withdraw(67) == 67)
        #expect(pacing.expire(at: start + .milliseconds(30)) == [])
        for _ in 1...64 { #expect(pacing.ended(with: "https://a") == nil) }
        #expect(offer(100...164, &pacing) == Array(100...163))
        #expect(pacing.withdrawAll() == [164])
        #expect(pacing.due == nil)
    }

    @Test(
        "Exchanges with one host and port count together",
        arguments: [
            ("https://a.example/x/y?u=https://b/", "https://a.example"), ("http://[::1]:80", "http://[::1]:80"),
            ("http://a?x=/", "http://a"), ("a:b", "a:b"), ("nothing", "nothing"),
        ])
    func origin(_ url: String, _ origin: String) {
        #expect(HTTPRequest(.get, url).origin == origin)
    }
}
