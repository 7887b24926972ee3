import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import EarshotClient

@Suite("Connecting", .timeLimit(.minutes(2)))
struct DeviceConnectingTests {
    private let group = MultiThreadedEventLoopGroup.singleton

    private func failure(
        url: String, headers: [(String, String)] = []
    ) async -> DeviceConnectionError? {
        do {
            _ = try await DeviceConnection.connect(url: url, headers: headers, on: group)
            return nil
        } catch {
            return error
        }
    }

    private func failure(_ answer: TestScript.Answer) async throws -> DeviceConnectionError? {
        var script = TestScript()
        script.answer = { _ in answer }
        return try await TestServer.run(script) { await failure(url: $0.url) }
    }

    @Test("A refusal has its status, headers and text")
    func refusals() async throws {
        let full = try await failure(
            .refuse(.serviceUnavailable, headers: [("Retry-After", "17"), ("X-Why", "full")], body: "no room"))
        #expect(full?.code == .refused)
        #expect(full?.refusal?.status == 503)
        #expect(full?.refusal?.retryAfter == .seconds(17))
        #expect(full?.refusal?.header("x-why") == "full")
        #expect(full?.refusal?.body == "no room")
        #expect(full?.message.contains("503") == true)

        let unknown = try await failure(.refuse(.unauthorized, headers: [], body: ""))
        #expect(unknown?.refusal?.status == 401)
        #expect(unknown?.refusal?.retryAfter == nil)
        #expect(unknown?.refusal?.body == "")
    }

    @Test("A redirect and a plain 200 are refusals too")
    func otherAnswers() async throws {
        #expect(try await failure(.refuse(.found, headers: [("Location", "/x")], body: ""))?.refusal?.status == 302)
        #expect(try await failure(.refuse(.ok, headers: [], body: "hello"))?.refusal?.body == "hello")
    }

    @Test("Only so much of a refusal's text is kept")
    func longRefusal() async throws {
        let body = String(repeating: "x", count: DeviceClientLimits.refusalBodyBytesMax + 10_000)
        let caught = try await failure(.refuse(.badRequest, headers: [], body: body))
        #expect(caught?.refusal?.status == 400)
        #expect(caught?.refusal?.body.utf8.count == DeviceClientLimits.refusalBodyBytesMax)
    }

    @Test("A refusal that is cut off in its text is still the refusal")
    func cutOffRefusal() async throws {
        let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\nConnection: close\r\n\r\nno"
        var script = TestScript()
        script.answer = { _ in .rawThenHangUp(answer) }
        let caught = try await TestServer.run(script) { await failure(url: $0.url) }
        #expect(caught?.refusal?.status == 403)
        #expect(caught?.refusal?.body == "no")
    }

    @Test(
        "What is not a WebSocket answer fails the handshake",
        arguments: [
            "SSH-2.0-OpenSSH_9.2\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                + "Sec-WebSocket-Accept: AAAA\r\n\r\n",
        ])
    func handshakeFailures(answer: String) async throws {
        #expect(try await failure(.raw(answer))?.code == .handshakeFailed)
    }

    @Test("A server that hangs up fails the handshake")
    func hangUp() async throws {
        #expect(try await failure(.hangUp)?.code == .handshakeFailed)
    }

    @Test("Where nobody listens, connecting fails")
    func nobodyListens() async {
        // Port 1 belongs to a service that nobody runs; a port just given back may be another test's by now.
        #expect(await failure(url: "ws://127.0.0.1:1/")?.code == .connectFailed)
    }

    @Test("Names are resolved")
    func names() async throws {
        try await TestServer.run(TestScript()) { server in
            let connection = try await DeviceConnection.connect(
                url: "ws://localhost:\(server.port)/v4/listen", on: server.group)
            await connection.close()
        }
    }

    @Test("A cancelled task stops connecting, and the socket ends")
    func cancelled() async throws {
        let requests = Recorder<Void>()
        var script = TestScript()
        script.answer = { _ in
            requests.record(())
            return .silence
        }
        try await TestServer.run(script) { server in
            await withTaskGroup(of: DeviceConnectionError?.self) { tasks in
                tasks.addTask { await failure(url: server.url) }
                _ = await requests.wait(for: 1)
                tasks.cancelAll()
                #expect(await tasks.next()??.code == .cancelled)
            }
        }
    }

    @Test("Wrong addresses and headers are refused before anything is sent")
    func wrongArguments() async {
        #expect(await failure(url: "https://host")?.code == .invalidAddress)
        for header in [("", "x"), ("a b", "x"), ("X-A", "a\r\nX-B: b"), ("X:", "x"), ("Ä", "x")] {
            let caught = await failure(url: "ws://127.0.0.1:1", headers: [header])
            #expect(caught?.code == .invalidHeader)
        }
    }

    @Test("The first message may come together with the 101")
    func earlyMessage() async throws {
        var script = TestScript()
        script.onOpen = { $0.send(text: "at once") }
        try await TestServer.run(script) { server in
            for _ in 0..<50 {
                let connection = try await DeviceConnection.connect(url: server.url, on: server.group)
                var iterator = connection.messages.makeAsyncIterator()
                #expect(await iterator.next() == .text("at once"))
                await connection.close()
            }
        }
    }
}
