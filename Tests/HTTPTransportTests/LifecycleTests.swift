import HTTPTransport
import Logging
import Synchronization
import TestSupport
import Testing

@Suite("HTTP transport's life")
struct LifecycleTests {
    @Test("Cancelling the caller ends the exchange and its connection at once")
    func cancellation() async throws {
        let closed = Mutex(false)
        try await TransportHarness.run({ request, reply in
            reply.onClose { closed.withLock { $0 = true } }
            if request.uri == "/fine" { reply.respond() }
        }) { server, transport in
            var request = HTTPRequest(.get, server.url)
            request.totalTimeout = .seconds(600)
            let code = try await withThrowingTaskGroup(of: HTTPTransportError.Code?.self) { group in
                group.addTask { [request] in await TransportHarness.code(request, transport) }
                try await eventually("the server to have the request") { server.requests.count == 1 }
                group.cancelAll()
                return try await group.next()
            }
            #expect(code == .cancelled)
            try await eventually("the connection to end") { closed.withLock(\.self) }
            #expect(await TransportHarness.code(HTTPRequest(.get, server.url + "/fine"), transport) == nil)
        }
    }

    @Test("A caller cancelled before the transport runs is answered at once")
    func cancellationBeforeRun() async throws {
        let transport = HTTPTransport(try TransportHarness.configuration(), logger: Logger(label: "test"))
        let code = await withTaskGroup(of: HTTPTransportError.Code?.self) { group in
            group.addTask { await TransportHarness.code(HTTPRequest(.get, "http://127.0.0.1:1/"), transport) }
            group.cancelAll()
            return await group.next()
        }
        #expect(code == .cancelled)
    }

    @Test("A request sent before the transport runs waits for it")
    func early() async throws {
        try await HTTPServer.run({ _, reply in reply.respond() }) { server in
            let transport = HTTPTransport(try TransportHarness.configuration(), logger: Logger(label: "test"))
            await withTaskGroup { group in
                async let code = TransportHarness.code(HTTPRequest(.get, server.url), transport)
                group.addTask { await transport.run() }
                #expect(await code == nil)
                group.cancelAll()
            }
        }
    }

    @Test("Stopping ends what is under way and refuses what comes")
    func stop() async throws {
        try await HTTPServer.run({ _, _ in }) { server in
            let transport = HTTPTransport(try TransportHarness.configuration(), logger: Logger(label: "test"))
            let url = server.url
            let codes = try await withThrowingTaskGroup(of: HTTPTransportError.Code?.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        var request = HTTPRequest(.get, url)
                        request.totalTimeout = .seconds(600)
                        return await TransportHarness.code(request, transport)
                    }
                }
                try await withThrowingTaskGroup { running in
                    running.addTask { await transport.run() }
                    try await eventually("all requests to arrive") { server.requests.count == 20 }
                    running.cancelAll()
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes == [HTTPTransportError.Code?](repeating: .closed, count: 20))
            #expect(await TransportHarness.code(HTTPRequest(.get, url), transport) == .closed)
        }
    }

    @Test("Past the transfers allowed a request is refused, not queued")
    func overload() async throws {
        var configuration = try TransportHarness.configuration()
        configuration.transfersMaximum = 2
        let held = Mutex<[HTTPServerReply]>([])
        try await HTTPServer.run({ _, reply in held.withLock { $0.append(reply) } }) { server in
            try await TransportHarness.run(configuration) { transport in
                let request = HTTPRequest(.get, server.url)
                async let first = TransportHarness.code(request, transport)
                async let second = TransportHarness.code(request, transport)
                try await eventually("both to arrive") { server.requests.count == 2 }
                #expect(await TransportHarness.code(request, transport) == .overloaded)
                for reply in held.withLock(\.self) { reply.respond() }
                #expect(await first == nil)
                #expect(await second == nil)
            }
        }
    }
}
