import AudioCodecs
import Foundation
import NIOCore
import NIOHTTP1
import NIOWebSocket
import Synchronization
import Testing

@testable import EarshotClient

@Suite("Uploads over sockets", .timeLimit(.minutes(3)))
struct DeviceUploadTests {
    /// Frames of known content, as fast as they are taken.
    private struct Numbers: UploadSource {
        let count: Int

        @concurrent
        func deliver(to take: @Sendable (UploadFrame) async throws -> Void) async throws {
            for number in 0..<count {
                try await take(UploadFrame(payload: ByteBuffer(integer: UInt32(number)), duration: .milliseconds(20)))
            }
        }
    }

    /// A server that takes what it is sent, and the requests it was asked for.
    private final class Server: Sendable {
        struct State {
            var taken: [UInt32] = []
            var targets: [String] = []
            var onConnection = 0
        }

        let state = Mutex(State())

        /// Drops a connection after so many messages; `nil` never.
        func script(droppingAfter limit: Int?) -> TestScript {
            var script = TestScript()
            script.onOpen = { peer in
                let (next, number) = self.state.withLock { state in
                    state.targets.append(peer.head.uri)
                    state.onConnection = 0
                    return (state.taken.count, state.targets.count)
                }
                peer.send(
                    text: #"{"type":"session","session_id":"s\#(number)","next":\#(next),"ack":"fsynced"}"#)
            }
            script.onFrame = { peer, frame in
                var data = frame.unmaskedData
                guard frame.opcode == .binary, let number = data.readInteger(as: UInt32.self) else { return }
                let (count, isDue) = self.state.withLock { state in
                    guard limit == nil || state.onConnection < limit ?? 0 else { return (state.taken.count, true) }
                    state.taken.append(number)
                    state.onConnection += 1
                    return (state.taken.count, state.onConnection == limit)
                }
                if isDue {
                    peer.drop()
                } else {
                    peer.send(text: #"{"type":"ack","next":\#(count),"durability":"fsynced"}"#)
                }
            }
            return script
        }
    }

    @Test("Every message arrives once and in order, however often the connection is dropped")
    func dropped() async throws {
        let server = Server()
        try await TestServer.run(server.script(droppingAfter: 40)) { test in
            let upload = DeviceUpload(UploadConfiguration(url: test.url), source: Numbers(count: 300))
            let report = try await upload.run(on: test.group)
            #expect(report.outcome == .completed)
            #expect(report.acknowledgedCount == 300)
            #expect(report.reconnectCount >= 7)
            #expect(report.sessions.first == "s1")
        }
        let (taken, targets) = server.state.withLock { ($0.taken, $0.targets) }
        #expect(taken == (0..<300).map { UInt32($0) })
        #expect(targets[0] == "/v4/listen?ack=fsynced")
        // How many acknowledgements arrive before the drop is the network's affair.
        #expect(targets[1].hasPrefix("/v4/listen?ack=fsynced&resume=s1&from="))
    }

    @Test("A pipe is read in messages of a tenth of a second, its rest included, and the socket gets its very bytes")
    func pipe() async throws {
        let pipe = Pipe()
        let bytes = (0..<7_001).map { UInt8(truncatingIfNeeded: $0) }
        try pipe.fileHandleForWriting.write(contentsOf: Data(bytes))
        try pipe.fileHandleForWriting.close()
        let audio = Mutex<[UInt8]>([])
        var script = TestScript()
        script.onOpen = { $0.send(text: #"{"type":"session","session_id":"s","next":0,"ack":"fsynced"}"#) }
        script.onFrame = { peer, frame in
            guard frame.opcode == .binary else { return }
            let count = audio.withLock { audio in
                audio += [UInt8](buffer: frame.unmaskedData)
                return (audio.count + 3_199) / 3_200
            }
            peer.send(text: #"{"type":"ack","next":\#(count),"durability":"fsynced"}"#)
        }
        try await TestServer.run(script) { test in
            let source = PCMPipeSource(
                descriptor: dup(pipe.fileHandleForReading.fileDescriptor), codec: .pcm16, sampleRate: 16_000)
            let report = try await DeviceUpload(UploadConfiguration(url: test.url), source: source).run(on: test.group)
            #expect(report.messageCount == 3)
        }
        let arrived = audio.withLock { $0 }
        #expect(arrived == bytes)
    }

    @Test("A source that fails ends the upload with its error")
    func failure() async throws {
        struct Broken: UploadSource {
            struct Failure: Error {}
            @concurrent
            func deliver(to take: @Sendable (UploadFrame) async throws -> Void) async throws { throw Failure() }
        }
        _ = try await TestServer.run(Server().script(droppingAfter: nil)) { test in
            await #expect(throws: Broken.Failure.self) {
                _ = try await DeviceUpload(UploadConfiguration(url: test.url), source: Broken()).run(on: test.group)
            }
        }
    }
}
