import NIOCore
import Synchronization
import TestSupport
import Testing

/// Each toxic against a real server over real sockets.
@Suite struct FaultProxyTests {
    /// Runs a body with a proxy before an echo server, and ends both.
    private func withProxy(
        _ faults: LinkFaults = LinkFaults(), _ body: (FaultProxy) async throws -> Void
    ) async throws {
        let server = try await EchoServer()
        let proxy = try await FaultProxy.started(to: server.port)
        proxy.set(faults)
        try await body(proxy)
        await proxy.stop()
        try await server.stop()
    }

    private func downstream(_ change: (inout Toxics) -> Void) -> LinkFaults {
        var faults = LinkFaults()
        change(&faults.downstream)
        return faults
    }

    private func timed(_ body: () async throws -> Void) async throws -> Duration {
        try await ContinuousClock().measure { try await body() }
    }

    @Test("Without faults all bytes pass both ways, and so does the end of the stream")
    func transparent() async throws {
        try await withProxy { proxy in
            let client = try await TestClient(port: proxy.port)
            async let answer = client.read()
            for _ in 0..<20 { try await client.send(100_000) }
            try await client.finish()
            let read = await answer
            #expect(read.bytes == 2_000_000)
            #expect(read.ending == .end)
            try await eventually("the connection is gone") { proxy.connectionCount == 0 }
        }
    }

    @Test("latency: bytes come later by the delay, less or more by the jitter, and in order")
    func latency() async throws {
        try await withProxy(downstream { $0.latency = .init(.milliseconds(150), jitter: .milliseconds(50)) }) { proxy in
            let client = try await TestClient(port: proxy.port)
            let time = try await timed {
                try await client.send(10)
                #expect(await client.read(10).bytes == 10)
            }
            #expect(time >= .milliseconds(100))
        }
    }

    @Test("bandwidth: no more than so many bytes a second pass")
    func bandwidth() async throws {
        try await withProxy(downstream { $0.bandwidth = 100_000 }) { proxy in
            let client = try await TestClient(port: proxy.port)
            let time = try await timed {
                try await client.send(40_000)
                #expect(await client.read(40_000).bytes == 40_000)
            }
            #expect(time >= .milliseconds(300))
        }
    }

    @Test("slow_close: the end of the stream comes later, the bytes before it do not")
    func slowClose() async throws {
        try await withProxy(downstream { $0.slowClose = .milliseconds(300) }) { proxy in
            let client = try await TestClient(port: proxy.port)
            try await client.send(10)
            #expect(await client.read(10).bytes == 10)
            let time = try await timed {
                try await client.finish()
                #expect(await client.read().ending == .end)
            }
            #expect(time >= .milliseconds(300))
        }
    }

    @Test("timeout: nothing passes and the connection is closed after it; zero holds everything until it is taken away")
    func timeout() async throws {
        try await withProxy(downstream { $0.timeout = .milliseconds(200) }) { proxy in
            let client = try await TestClient(port: proxy.port)
            try await client.send(10)
            let read = await client.read()
            #expect(read.bytes == 0)
            #expect(read.ending != nil)
            proxy.set(downstream { $0.timeout = .zero })
            let patient = try await TestClient(port: proxy.port)
            try await patient.send(10)
            proxy.clear()
            #expect(await patient.read(10).bytes == 10)
        }
    }

    @Test("reset_peer: the connection is reset after a time")
    func resetPeer() async throws {
        try await withProxy(downstream { $0.resetPeer = .milliseconds(100) }) { proxy in
            let client = try await TestClient(port: proxy.port)
            let time = try await timed { #expect(await client.read().ending == .failed) }
            #expect(time >= .milliseconds(90))
        }
    }

    @Test("slicer: the same bytes come in many small pieces")
    func slicer() async throws {
        let faults = downstream { $0.slicer = .init(averageBytes: 100, variation: 50, delay: .milliseconds(2)) }
        try await withProxy(faults) { proxy in
            let client = try await TestClient(port: proxy.port)
            try await client.send(5_000)
            let read = await client.read(5_000)
            #expect(read.bytes == 5_000)
            #expect(read.pieces >= 20)
        }
    }

    @Test("limit_data: the connection is closed behind so many bytes")
    func limitData() async throws {
        try await withProxy(downstream { $0.limitData = 1_000 }) { proxy in
            let client = try await TestClient(port: proxy.port)
            // Few enough to be read at once: with bytes of the client's left unread its end would be a reset.
            try await client.send(1_500)
            let read = await client.read()
            #expect(read.bytes == 1_000)
            #expect(read.ending != nil)
        }
    }

    @Test("down: open connections end and new ones are refused, until it is up again on the same port")
    func down() async throws {
        try await withProxy { proxy in
            let client = try await TestClient(port: proxy.port)
            try await client.send(10)
            #expect(await client.read(10).bytes == 10)
            let port = proxy.port
            await proxy.takeDown()
            #expect(await client.read().ending != nil)
            await #expect(throws: (any Error).self) { try await TestClient(port: port) }
            try await proxy.bringUp()
            #expect(proxy.port == port)
            let again = try await TestClient(port: port)
            try await again.send(10)
            #expect(await again.read(10).bytes == 10)
        }
    }

    @Test("cut: open connections are reset at once, new ones are as before")
    func cut() async throws {
        try await withProxy { proxy in
            let client = try await TestClient(port: proxy.port)
            try await eventually("the connection is there") { proxy.connectionCount == 1 }
            proxy.cut()
            #expect(await client.read().ending == .failed)
            let again = try await TestClient(port: proxy.port)
            try await again.send(10)
            #expect(await again.read(10).bytes == 10)
        }
    }

    @Test("A faulty upstream direction leaves the other alone, and faults change while the connection is open")
    func directions() async throws {
        try await withProxy { proxy in
            let client = try await TestClient(port: proxy.port)
            try await client.send(10)
            #expect(await client.read(10).bytes == 10)
            var faults = LinkFaults()
            faults.upstream.latency = .init(.milliseconds(200))
            proxy.set(faults)
            let time = try await timed {
                try await client.send(10)
                #expect(await client.read(10).bytes == 10)
            }
            #expect(time >= .milliseconds(150))
        }
    }

    @Test("What does not pass is not read: the sender is held back")
    func backPressure() async throws {
        var faults = LinkFaults()
        faults.upstream.timeout = .zero
        try await withProxy(faults) { proxy in
            let client = try await TestClient(port: proxy.port)
            // Far more than the sockets' buffers of both sides and the proxy's own.
            var offered = 0
            while offered < 64 << 20, try await client.offer(1 << 20) { offered += 1 << 20 }
            #expect(offered < 64 << 20)
            try await client.close()
        }
    }

    @Test("Faults of a label count for its connections only")
    func labels() async throws {
        let server = try await EchoServer()
        // Of several connections every second one; the ports of one machine may all be even.
        let accepted = Mutex(0)
        let proxy = try await FaultProxy.started(to: server.port) { _ in
            accepted.withLock { count in
                count += 1
                return count.isMultiple(of: 2) ? "even" : "odd"
            }
        }
        var faults = LinkFaults()
        faults.downstream.resetPeer = .zero
        proxy.set(faults, label: "even")
        proxy.set(faults, label: "odd")
        proxy.clear(label: "odd")
        var endings: Set<Bool> = []
        for _ in 0..<40 where endings.count < 2 {
            // Reset as soon as it is accepted, a connection may not even be one.
            guard let client = try? await TestClient(port: proxy.port) else {
                endings.insert(false)
                continue
            }
            try? await client.send(10)
            endings.insert(await client.read(10).ending == nil)
        }
        #expect(endings == [true, false])
        await proxy.stop()
        try await server.stop()
    }
}
