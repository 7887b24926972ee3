import HTTPTransport
import Testing

@Suite("Destination policy")
struct DestinationPolicyTests {
    /// First and last address of each refused range, with the public neighbours before and behind it.
    static let ranges: [(first: String, last: String, before: String?, behind: String?)] = [
        ("0.0.0.0", "0.255.255.255", nil, "1.0.0.0"),
        ("10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
        ("100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"),
        ("127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"),
        ("168.63.129.16", "168.63.129.16", "168.63.129.15", "168.63.129.17"),
        ("169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"),
        ("172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"),
        ("192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"),
        ("192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"),
        ("192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"),
        ("192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"),
        ("198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"),
        ("198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"),
        ("203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"),
        ("224.0.0.0", "255.255.255.255", "223.255.255.255", nil),
        ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", nil, nil),
        ("64:ff9b::", "64:ff9b::ffff:ffff", nil, nil),
        ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", nil, nil),
        ("100::", "100::ffff:ffff:ffff:ffff", nil, nil),
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2000:ffff::", "2001:200::"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db9::"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:ffff::", "2003::"),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3ffe:ffff::", "3fff:1000::"),
        ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:ffff::", nil),
    ]

    @Test("Every boundary of every range", arguments: ranges)
    func boundaries(first: String, last: String, before: String?, behind: String?) throws {
        let policy = try DestinationPolicy()
        #expect(!policy.allows(address: first))
        #expect(!policy.allows(address: last))
        if let before { #expect(policy.allows(address: before)) }
        if let behind { #expect(policy.allows(address: behind)) }
    }

    @Test(
        "Single addresses that were used in attacks",
        arguments: [
            "169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "::1", "fe80::1", "fc00::1",
            "fec0::1",
            "ff02::1", "5f00::1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::7f00:1", "::ffff:0:7f00:1",
            "2002:7f00:1::", "2002:808:808::", "64:ff9b::7f00:1", "64:ff9b::808:808", "not an address", "", "1.2.3",
        ])
    func attacks(address: String) throws {
        #expect(try !DestinationPolicy().allows(address: address))
    }

    @Test("Public addresses are allowed", arguments: ["8.8.8.8", "::ffff:8.8.8.8", "2606:4700:4700::1111"])
    func publicAddresses(address: String) throws {
        #expect(try DestinationPolicy().allows(address: address))
    }

    @Test("What an operator allows is allowed by every name of it, and nothing besides")
    func allowList() throws {
        let policy = try DestinationPolicy(allowedNetworks: ["127.0.0.0/8", "::1", "10.1.2.128/25", "fd00::/8"])
        for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.1.2.128", "10.1.2.255", "fd12::1"] {
            #expect(policy.allows(address: address), "\(address)")
        }
        for address in ["10.1.2.127", "10.1.3.128", "::2", "fc00::1", "64:ff9b::7f00:1", "2002:7f00:1::"] {
            #expect(!policy.allows(address: address), "\(address)")
        }
        // A translator is allowed only towards what is allowed itself.
        let translated = try DestinationPolicy(allowedNetworks: ["64:ff9b::/96"])
        #expect(translated.allows(address: "64:ff9b::808:808"))
        #expect(!translated.allows(address: "64:ff9b::a01:203"))
    }

    @Test(
        "A network that is none is named",
        arguments: ["10.0.0.0/33", "10.0.0/8", "x", "::/129", "10.0.0.0/-1", "1.2.3.4/8/9", "", "10.0.0.0/"])
    func badNetworks(network: String) {
        #expect(throws: DestinationPolicyError.self) { try DestinationPolicy(allowedNetworks: [network]) }
    }

    @Test(
        "URLs that show what they are",
        arguments: [
            ("https://example.com/path?x=1#f", nil), ("https://example.com:1/", nil), ("https://example.com.", nil),
            ("https://8.8.8.8:65535", nil), ("https://[2606:4700:4700::1111]/", nil), ("HTTPS://EXAMPLE.COM", nil),
            ("http://example.com/", .destinationRefused),
            ("https://127.0.0.1/", .destinationRefused), ("https://127.0.0.1./", .destinationRefused),
            ("https://2130706433/", .destinationRefused), ("https://0177.0.0.1/", .destinationRefused),
            ("https://0x7f000001/", .destinationRefused), ("https://0x7f.1/", .destinationRefused),
            ("https://127.1/", .destinationRefused), ("https://0/", .destinationRefused),
            ("https://0x7f.1./", .destinationRefused), ("https://2130706433./", .destinationRefused),
            ("https://%31%32%37.0.0.1/", .destinationRefused), ("https://[::1]/", .destinationRefused),
            ("https://[::ffff:127.0.0.1]/", .destinationRefused), ("https://[::ffff:7f00:1]/", .destinationRefused),
            ("https://[fe80::1%25eth0]/", .destinationRefused), ("https://[2606::1%25lo]/", .destinationRefused),
            ("https://169.254.169.254/latest/meta-data/", .destinationRefused),
            ("https://user@example.com/", .invalidURL), ("https://user:pw@example.com/", .invalidURL),
            ("https://:pw@example.com/", .invalidURL), ("https://@example.com/", .invalidURL),
            ("ftp://example.com/", .invalidURL), ("file:///etc/passwd", .invalidURL),
            ("gopher://example.com/", .invalidURL), ("example.com/path", .invalidURL), ("", .invalidURL),
            ("https://", .invalidURL), ("https:///path", .invalidURL), ("https://example.com:0/", .invalidURL),
            ("https://example.com:65536/", .invalidURL), ("https://example.com:x/", .invalidURL),
            ("https://exa mple.com/", .invalidURL), ("https://example.com/a b", .invalidURL),
            ("https://example.com/\r\nX: y", .invalidURL), ("https://example.com/\u{0}", .invalidURL),
            ("https://１２７.0.0.1/", .invalidURL), ("https://ex\\ample.com/", .invalidURL),
            ("https://[::1/", .invalidURL), ("//example.com/", .invalidURL),
        ] as [(String, HTTPTransportError.Code?)])
    func urls(url: String, expected: HTTPTransportError.Code?) throws {
        let policy = try DestinationPolicy()
        var code: HTTPTransportError.Code?
        do throws(HTTPTransportError) { try policy.check(url: url) } catch { code = error.code }
        #expect(code == expected, "\(url)")
    }

    @Test("A URL may be long, not endless, and never stands in a message")
    func length() throws {
        let policy = try DestinationPolicy()
        let head = "https://example.com/?secret="
        try policy.check(url: head + String(repeating: "x", count: DestinationPolicy.urlBytesMaximum - head.utf8.count))
        do throws(HTTPTransportError) {
            try policy.check(url: head + String(repeating: "x", count: DestinationPolicy.urlBytesMaximum))
            Issue.record("no error")
        } catch {
            #expect(error.code == .invalidURL)
            #expect(!error.message.contains("secret"))
        }
    }

    @Test("http is allowed where the policy says so")
    func plain() throws {
        let policy = try DestinationPolicy(allowsPlainHTTP: true)
        try policy.check(url: "http://example.com/")
        #expect(throws: HTTPTransportError.self) { try policy.check(url: "http://127.0.0.1/") }
        try DestinationPolicy.anyAddress(allowsPlainHTTP: true).check(url: "http://127.0.0.1/")
        #expect(throws: HTTPTransportError.self) {
            try DestinationPolicy.anyAddress(allowsPlainHTTP: false).check(url: "http://127.0.0.1/")
        }
    }
}
