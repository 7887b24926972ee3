import HTTPTransport
import NIOCore
import TestSupport
import Testing

@Suite("Adversarial HTTP servers")
struct AdversaryTests {
    private static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test("A slow head and a dripping body cost the total time-out and no more", arguments: ["/head", "/body"])
    func drip(path: String) async throws {
        try await TransportHarness.run({ request, reply in
            reply.send(
                request.uri == "/head" ? "HTTP/1.1 200 OK\r\nX: " : "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
            reply.drip([0x61], every: .milliseconds(20))
        }) { server, transport in
            var request = HTTPRequest(.post, server.url + path, body: [1])
            request.totalTimeout = .milliseconds(300)
            let start = ContinuousClock.now
            #expect(await TransportHarness.code(request, transport) == .timedOut)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }

    @Test("An endless body is cut where it was allowed to end, or fails the exchange")
    func endless() async throws {
        let piece = Array("400\r\n".utf8) + [UInt8](repeating: 0x78, count: 1024) + Array("\r\n".utf8)
        try await TransportHarness.run({ _, reply in
            reply.send(Self.chunked)
            reply.drip(piece, every: .milliseconds(1))
        }) { server, transport in
            var request = HTTPRequest(.get, server.url)
            request.responseBytesMaximum = 5000
            let response = try await transport.send(request)
            #expect(response.status == 200)
            #expect(response.isTruncated)
            #expect(response.body == [UInt8](repeating: 0x78, count: 5000))
            request.overflow = .fail
            #expect(await TransportHarness.code(request, transport) == .responseTooLarge)
        }
    }

    @Test("A body of exactly the bound is whole")
    func exact() async throws {
        try await TransportHarness.run({ _, reply in reply.respond(body: [1, 2, 3]) }) { server, transport in
            var request = HTTPRequest(.get, server.url)
            for (maximum, isTruncated, code) in [(3, false, nil), (2, true, HTTPTransportError.Code.responseTooLarge)] {
                request.responseBytesMaximum = maximum
                request.overflow = .truncate
                let response = try await transport.send(request)
                #expect(response.isTruncated == isTruncated)
                #expect(response.body == [1, 2, 3].prefix(maximum).map(\.self))
                request.overflow = .fail
                #expect(await TransportHarness.code(request, transport) == code)
            }
        }
    }

    @Test("A compressed body is decompressed; a bomb costs no more than the bound; rubbish is an error")
    func compression() async throws {
        let bomb = try await Gzip.compress([UInt8](repeating: 0, count: 50_000_000))
        let small = try await Gzip.compress(Array("hello".utf8))
        try await TransportHarness.run({ request, reply in
            switch request.uri {
            case "/bomb": reply.respond(headers: [("Content-Encoding", "gzip")], body: bomb)
            case "/small": reply.respond(headers: [("Content-Encoding", "gzip")], body: small)
            default: reply.respond(headers: [("Content-Encoding", "gzip")], text: "this is no gzip at all")
            }
        }) { server, transport in
            let response = try await transport.send(HTTPRequest(.get, server.url + "/bomb"))
            #expect(response.isTruncated)
            #expect(response.body == [UInt8](repeating: 0, count: 16 * 1024))
            #expect(try await transport.send(HTTPRequest(.get, server.url + "/small")).body == Array("hello".utf8))
            #expect(await TransportHarness.code(HTTPRequest(.get, server.url + "/x"), transport) == .malformedResponse)
            var plain = HTTPRequest(.get, server.url + "/small")
            plain.acceptsCompression = false
            #expect(try await transport.send(plain).body == small)
            #expect(
                server.requests.map { $0.header("Accept-Encoding") } == [
                    "gzip, deflate", "gzip, deflate", "gzip, deflate", nil,
                ])
        }
    }

    @Test(
        "Floods of headers, trailers and interim responses are bounded",
        arguments: ["/headers", "/trailers", "/interim", "/line"])
    func headerFlood(path: String) async throws {
        try await TransportHarness.run({ request, reply in
            let filler = String(repeating: "y", count: 900)
            switch request.uri {
            case "/headers":
                reply.send("HTTP/1.1 200 OK\r\n")
                reply.drip(Array("X: \(filler)\r\n".utf8), every: .milliseconds(1))
            case "/trailers":
                reply.send(Self.chunked + "0\r\n")
                reply.drip(Array("X: \(filler)\r\n".utf8), every: .milliseconds(1))
            case "/interim":
                reply.drip(Array("HTTP/1.1 103 Early\r\nX: \(filler)\r\n\r\n".utf8), every: .milliseconds(1))
            default:
                reply.send("HTTP/1.1 200 OK\r\nX: ")
                reply.drip(Array(filler.utf8), every: .milliseconds(1))
            }
        }) { server, transport in
            let code = await TransportHarness.code(HTTPRequest(.get, server.url + path), transport)
            // An endless line never gets as far as a header: libcurl gives up at 100 KB.
            #expect(path == "/line" ? code != nil && code != .timedOut : code == .responseTooLarge)
        }
    }

    @Test("Broken connections and rubbish have their codes")
    func broken() async throws {
        try await TransportHarness.run({ request, reply in
            switch request.uri {
            case "/reset": reply.reset()
            case "/close": reply.close()
            case "/short":
                reply.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
                reply.close()
            default: reply.send("SSH-2.0-OpenSSH_9\r\n")
            }
        }) { server, transport in
            for path in ["/reset", "/close", "/short"] {
                #expect(
                    await TransportHarness.code(HTTPRequest(.post, server.url + path, body: [1]), transport)
                        == .connectionLost, "\(path)")
            }
            #expect(
                await TransportHarness.code(HTTPRequest(.get, server.url + "/ssh"), transport) == .malformedResponse)
        }
    }

    @Test("Nobody listening, and a name nobody has")
    func unreachable() async throws {
        let port = try await HTTPServer.run({ _, _ in }) { $0.port }
        try await TransportHarness.run(try TransportHarness.configuration()) { transport in
            #expect(
                await TransportHarness.code(HTTPRequest(.get, "http://127.0.0.1:\(port)/"), transport) == .connectFailed
            )
            var request = HTTPRequest(.get, "http://nobody.invalid/?token=secret")
            request.connectTimeout = .seconds(30)
            request.totalTimeout = .seconds(30)
            do throws(HTTPTransportError) {
                _ = try await transport.send(request)
                Issue.record("a name of .invalid was resolved")
            } catch {
                #expect(error.code == .nameNotResolved)
                #expect(!error.message.contains("secret"))
            }
        }
    }

    @Test("A connection that the server closed while it was idle is replaced without an error")
    func staleConnection() async throws {
        try await TransportHarness.run({ request, reply in
            // The second request on a connection finds it closed.
            if request.uri == "/second", request.connection == 1 { return reply.close() }
            reply.respond()
        }) { server, transport in
            let first = try await transport.send(HTTPRequest(.post, server.url + "/first", body: [1]))
            #expect(first.status == 200)
            let second = try await transport.send(HTTPRequest(.post, server.url + "/second", body: [2]))
            #expect(second.status == 200)
            #expect(server.requests.map(\.connection) == [1, 1, 2])
        }
    }
}
