import HTTPTransport
import NIOCore
import Synchronization
import TestSupport
import Testing

@Suite("HTTP exchanges")
struct ExchangeTests {
    @Test("A request arrives as it was given, and its answer comes back whole")
    func roundTrip() async throws {
        let handler: HTTPServer.Handler = { _, reply in
            reply.respond(
                201, headers: [("X-Twice", "a"), ("x-twice", "b"), ("Empty", "")], text: "made")
        }
        try await TransportHarness.run(handler) { server, transport in
            var request = HTTPRequest(
                .post, server.url + "/a/../b?q=%20&r", headers: [.init(name: "X-Own", value: "own value")],
                body: Array(0...255))
            request.headers.append(.init(name: "X-Empty", value: ""))
            let response = try await transport.send(request)
            #expect(response.status == 201)
            #expect(response.body == Array("made".utf8))
            #expect(response.header("X-TWICE") == "a")
            #expect(response.headers.filter { $0.name.lowercased() == "x-twice" }.map(\.value) == ["a", "b"])
            #expect(response.header("empty") == "")
            #expect(response.header("absent") == nil)
            #expect(response.remoteAddress == "127.0.0.1")
            #expect(response.duration > .zero)
            #expect(!response.isTruncated)

            let seen = try #require(server.requests.first)
            #expect(seen.method == "POST")
            #expect(seen.uri == "/a/../b?q=%20&r")
            #expect(seen.body == Array(0...255))
            #expect(seen.header("Content-Length") == "256")
            #expect(seen.header("User-Agent") == "Earshot")
            #expect(seen.header("X-Own") == "own value")
            #expect(seen.header("X-Empty") == "")
            #expect(seen.header("Host") == "127.0.0.1:\(server.port)")
            for name in ["Expect", "Content-Type", "Cookie", "Authorization", "Transfer-Encoding"] {
                #expect(seen.header(name) == nil, "\(name)")
            }
        }
    }

    @Test("Every method, with and without a body, on one connection")
    func methods() async throws {
        try await TransportHarness.run({ request, reply in
            let length = request.method == "HEAD" ? "Content-Length: 5\r\n\r\n" : "Content-Length: 1\r\n\r\nx"
            reply.send("HTTP/1.1 200 OK\r\n" + length)
        }) { server, transport in
            let body = Array("body".utf8)
            let sent: [(HTTPRequest.Method, [UInt8])] = [
                (.get, []), (.head, []), (.post, body), (.get, []), (.post, []), (.put, body), (.put, []),
                (.delete, []), (.delete, body), (.head, []), (.get, []),
            ]
            for (method, body) in sent {
                let response = try await transport.send(HTTPRequest(method, server.url, body: body))
                #expect(response.status == 200)
                #expect(response.body.count == (method == .head ? 0 : 1))
            }
            #expect(server.requests.map(\.method) == sent.map(\.0.rawValue))
            #expect(server.requests.map(\.body) == sent.map(\.1))
            let lengths = server.requests.map { $0.header("Content-Length") }
            #expect(lengths == [nil, nil, "4", nil, "0", "4", "0", nil, "4", nil, nil])
            #expect(server.connectionCount == 1)
        }
    }

    @Test("A body of megabytes arrives unchanged")
    func largeBody() async throws {
        try await TransportHarness.run({ _, reply in reply.respond() }) { server, transport in
            let body = (0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let response = try await transport.send(HTTPRequest(.put, server.url, body: body))
            #expect(response.status == 200)
            #expect(server.requests.first?.body == body)
        }
    }

    @Test("Redirects are returned, interim responses passed over, trailers left out")
    func responses() async throws {
        try await TransportHarness.run({ request, reply in
            switch request.uri {
            case "/redirect": reply.respond(302, headers: [("Location", "http://127.0.0.1:1/")])
            case "/interim":
                reply.send("HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 204 No\r\nX: final\r\nY:\r\n\r\n")
            default:
                reply.send(
                    "HTTP/1.1 200 OK\r\nX: head\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Late: t\r\n\r\n")
            }
        }) { server, transport in
            let redirect = try await transport.send(HTTPRequest(.get, server.url + "/redirect"))
            #expect(redirect.status == 302)
            #expect(redirect.header("location") == "http://127.0.0.1:1/")
            let interim = try await transport.send(HTTPRequest(.get, server.url + "/interim"))
            #expect(interim.status == 204)
            #expect(interim.headers == [HTTPHeader(name: "X", value: "final"), HTTPHeader(name: "Y", value: "")])
            let chunked = try await transport.send(HTTPRequest(.get, server.url + "/trailer"))
            #expect(chunked.body == Array("ab".utf8))
            #expect(chunked.header("x-late") == nil)
            #expect(server.requests.count == 3)
        }
    }

    @Test("512 exchanges are under way at once, and their connections are used again")
    func parallel() async throws {
        let count = 512
        let waiting = Mutex<[HTTPServerReply]>([])
        var configuration = try TransportHarness.configuration()
        configuration.connectionsPerHostMaximum = count
        try await HTTPServer.run({ request, reply in
            let all = waiting.withLock { waiting in
                waiting.append(reply)
                guard waiting.count == count else { return [] as [HTTPServerReply] }
                defer { waiting = [] }
                return waiting
            }
            // Nobody is answered before everybody has asked.
            for reply in all { reply.respond(text: request.uri) }
        }) { server in
            try await TransportHarness.run(configuration) { transport in
                for round in 1...2 {
                    let url = "\(server.url)/\(round)"
                    try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                        for _ in 0..<count {
                            group.addTask {
                                var request = HTTPRequest(.post, url, body: [1, 2, 3])
                                request.connectTimeout = .seconds(30)
                                request.totalTimeout = .seconds(60)
                                return try await transport.send(request)
                            }
                        }
                        for try await response in group { #expect(response.status == 200) }
                    }
                }
            }
            #expect(server.requests.count == 2 * count)
            #expect(server.connectionCount == count)
        }
    }

    @Test("Past the connections of a host exchanges wait, and give up at their own time-out")
    func connectionsPerHost() async throws {
        var configuration = try TransportHarness.configuration()
        configuration.connectionsPerHostMaximum = 1
        try await HTTPServer.run({ request, reply in
            if request.uri != "/silent" { reply.respond() }
        }) { server in
            try await TransportHarness.run(configuration) { transport in
                async let silent = TransportHarness.code(request(server.url + "/silent", .seconds(2)), transport)
                try await eventually("the server to have the request") { server.requests.count == 1 }
                async let early = TransportHarness.code(request(server.url + "/early", .milliseconds(200)), transport)
                async let late = TransportHarness.code(request(server.url + "/late", .seconds(60)), transport)
                #expect(await early == .timedOut)
                #expect(await silent == .timedOut)
                #expect(await late == nil)
            }
            #expect(server.requests.map(\.uri) == ["/silent", "/late"])
        }
    }

    private func request(_ url: String, _ timeout: Duration) -> HTTPRequest {
        var request = HTTPRequest(.get, url)
        request.totalTimeout = timeout
        request.connectTimeout = timeout
        return request
    }
}
