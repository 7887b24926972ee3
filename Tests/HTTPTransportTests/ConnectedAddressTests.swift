import HTTPTransport
import Synchronization
import TestSupport
import Testing

@Suite("The policy on connected addresses")
struct ConnectedAddressTests {
    /// What a name stands for, changed by a test.
    private final class Names: Sendable {
        private let addresses: Mutex<[String]>
        init(_ addresses: [String]) { self.addresses = Mutex(addresses) }
        func set(_ new: [String]) { addresses.withLock { $0 = new } }
        var override: @Sendable (String) -> [String] { { _ in self.addresses.withLock(\.self) } }
    }

    private func run(
        _ names: Names, allowed: [String] = ["127.0.0.1"], _ handler: @escaping HTTPServer.Handler,
        _ body: (HTTPServer, HTTPTransport, String) async throws -> Void
    ) async throws {
        var configuration = try TransportHarness.configuration(allowed: allowed)
        configuration.addressOverride = names.override
        try await HTTPServer.run(handler) { server in
            try await TransportHarness.run(configuration) { transport in
                try await body(server, transport, "http://receiver.example:\(server.port)/")
            }
        }
    }

    @Test("A name that stands for a refused address is refused, whatever the URL looks like")
    func refusedName() async throws {
        for address in ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.2", "fd00:ec2::254"] {
            try await run(Names([address]), { _, reply in reply.respond() }) { server, transport, url in
                #expect(
                    await TransportHarness.code(HTTPRequest(.get, url), transport) == .destinationRefused, "\(address)")
                #expect(server.connectionCount == 0)
            }
        }
    }

    @Test("The system's own names are checked as well")
    func localhost() async throws {
        try await HTTPServer.run({ _, reply in reply.respond() }) { server in
            let configuration = try TransportHarness.configuration(allowed: [])
            try await TransportHarness.run(configuration) { transport in
                for host in ["localhost", "localhost.", "app.localhost"] {
                    let request = HTTPRequest(.get, "http://\(host):\(server.port)/")
                    let code = await TransportHarness.code(request, transport)
                    let isRefused = code == .destinationRefused || (host != "localhost" && code == .nameNotResolved)
                    #expect(isRefused, "\(host): \(String(describing: code))")
                }
            }
            #expect(server.connectionCount == 0)
        }
    }

    @Test("Of a name with a good and a bad address only the good one is connected to")
    func mixedName() async throws {
        // The bad one leads to the same server: it would answer.
        for addresses in [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"], ["::1", "127.0.0.1"]] {
            try await run(Names(addresses), { _, reply in reply.respond() }) { _, transport, url in
                let response = try await transport.send(HTTPRequest(.get, url))
                #expect(response.remoteAddress == "127.0.0.1")
            }
        }
    }

    @Test("A name that changes between look-ups is refused at the next connection")
    func rebinding() async throws {
        let names = Names(["127.0.0.1"])
        try await run(names, { _, reply in reply.respond(headers: [("Connection", "close")]) }) {
            server, transport, url in
            #expect(await TransportHarness.code(HTTPRequest(.get, url), transport) == nil)
            names.set(["127.0.0.2"])
            #expect(await TransportHarness.code(HTTPRequest(.get, url), transport) == .destinationRefused)
            #expect(server.requests.count == 1)
            names.set(["127.0.0.1"])
            #expect(await TransportHarness.code(HTTPRequest(.get, url), transport) == nil)
        }
    }

    @Test("A kept connection still goes where it was checked, and its replacement is checked anew")
    func keptConnection() async throws {
        let names = Names(["127.0.0.1"])
        try await run(
            names,
            { request, reply in
                if request.uri == "/close" { reply.close() } else { reply.respond() }
            }
        ) { server, transport, url in
            let first = try await transport.send(HTTPRequest(.get, url))
            #expect(first.remoteAddress == "127.0.0.1")
            names.set(["127.0.0.2"])
            let second = try await transport.send(HTTPRequest(.get, url))
            #expect(second.remoteAddress == "127.0.0.1")
            #expect(server.connectionCount == 1)
            // The server closes the kept connection without an answer; the attempt that libcurl makes anew is refused.
            let code = await TransportHarness.code(HTTPRequest(.get, url + "close"), transport)
            #expect(code == .destinationRefused)
            #expect(server.connectionCount == 1)
        }
    }

    @Test("A redirect to a refused place is not followed")
    func redirect() async throws {
        try await run(
            Names(["127.0.0.1"]),
            { _, reply in reply.respond(307, headers: [("Location", "http://169.254.169.254/latest/meta-data/")]) }
        ) { server, transport, url in
            let response = try await transport.send(HTTPRequest(.post, url, body: [1]))
            #expect(response.status == 307)
            #expect(server.requests.count == 1)
        }
    }

    @Test("Headers that would break a request in two never leave")
    func headerInjection() async throws {
        try await TransportHarness.run({ _, reply in reply.respond() }) { server, transport in
            let headers: [(String, String)] = [
                ("X", "a\r\nEvil: 1"), ("X", "a\nb"), ("X", "a\rb"), ("X", "a\u{0}b"), ("X", "\u{7F}"),
                ("X: y\r\nEvil", "1"), ("", "v"), ("X Y", "v"), ("X:", "v"), ("Ä", "v"), ("Content-Length", "0"),
                ("transfer-encoding", "chunked"), ("Connection", "close"), ("Expect", "100-continue"),
            ]
            for (name, value) in headers {
                let request = HTTPRequest(.get, server.url, headers: [.init(name: name, value: value)])
                #expect(await TransportHarness.code(request, transport) == .invalidRequest, "\(name): \(value)")
            }
            #expect(server.connectionCount == 0)
        }
    }
}
