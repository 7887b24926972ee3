import Testing

@testable import HTTPTransport

@Suite("Pools of connections")
struct PoolChoiceTests {
    @Test(
        "The pools together have at most the connections a host may have",
        arguments: [(1, 1, 1), (64, 1, 64), (65, 2, 32), (130, 3, 43), (256, 4, 64), (512, 8, 64)])
    func shares(_ maximum: Int, _ pools: Int, _ share: Int) {
        let choice = PoolChoice(connectionsPerHostMaximum: maximum)
        #expect(choice.pools == pools)
        #expect(choice.share == share)
    }

    @Test("A host's exchanges fill one pool before they use the next, and then the emptiest")
    func order() {
        var choice = PoolChoice(connectionsPerHostMaximum: 256)
        let first = choice.take("https://a")
        for _ in 2...64 { #expect(choice.take("https://a") == first) }
        let rest = (65...256).map { _ in choice.take("https://a") }
        #expect(Set(rest).count == 3 && !rest.contains(first))
        choice.giveBack(rest[100], of: "https://a")
        #expect(choice.take("https://a") == rest[100])
        // All are full: four more go to four pools.
        #expect(Set((1...4).map { _ in choice.take("https://a") }).count == 4)
    }

    @Test("Hosts do not count for one another, and one that is done with is forgotten")
    func hosts() {
        var choice = PoolChoice(connectionsPerHostMaximum: 128)
        let first = choice.take("https://a")
        for _ in 2...64 { _ = choice.take("https://a") }
        let other = choice.take("https://b")
        #expect(choice.take("https://b") == other)
        for _ in 1...64 { choice.giveBack(first, of: "https://a") }
        #expect(choice.take("https://a") == first)
    }

    @Test(
        "Exchanges with one host and port are counted together",
        arguments: [
            ("https://a.example/x/y?u=https://b/", "https://a.example"), ("http://[::1]:80", "http://[::1]:80"),
        ])
    func host(_ url: String, _ host: String) {
        #expect(PoolChoice.host(of: url) == host)
    }
}
