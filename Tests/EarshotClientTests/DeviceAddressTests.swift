import Testing

@testable import EarshotClient

@Suite("Device addresses")
struct DeviceAddressTests {
    @Test(
        "Addresses are taken apart",
        arguments: [
            ("ws://host", "host", 80, "/", "host"),
            ("WS://host/", "host", 80, "/", "host"),
            (
                "ws://host:8080/v4/listen?codec=opus&uid=a:b", "host", 8_080, "/v4/listen?codec=opus&uid=a:b",
                "host:8080"
            ),
            ("ws://127.0.0.1:1?x=1", "127.0.0.1", 1, "/?x=1", "127.0.0.1:1"),
            ("ws://[::1]:65535/a", "::1", 65_535, "/a", "[::1]:65535"),
            ("ws://[fe80::1]", "fe80::1", 80, "/", "[fe80::1]"),
        ])
    func parts(url: String, host: String, port: Int, target: String, authority: String) throws {
        let address = try DeviceAddress(url)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.target == target)
        #expect(address.authority == authority)
    }

    @Test(
        "Other addresses are refused with what is allowed",
        arguments: [
            "", "ws://", "ws:///path", "wss://host", "http://host", "host", "ws://host:0", "ws://host:65536",
            "ws://host:x", "ws://host:", "ws://:80", "ws://user@host", "ws://host/a#b", "ws://host/a b",
            "ws://host/\r\nX: y", "ws://[::1", "ws://::1]", "ws://hä/",
        ])
    func refused(url: String) {
        var caught: DeviceConnectionError?
        do { _ = try DeviceAddress(url) } catch { caught = error }
        #expect(caught?.code == .invalidAddress)
        #expect(caught?.message.contains("allowed is ws://host[:port][/path][?query]") == true)
    }
}
