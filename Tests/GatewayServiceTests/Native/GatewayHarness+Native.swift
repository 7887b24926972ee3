import AudioStreams
import EarshotClient
import EarshotModel
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestSupport

extension GatewayHarness {
    /// Connects to the native endpoint, through a proxy if a port is given.
    func native(
        _ query: String = "", user: String = "alice", port: Int? = nil, headers: [(String, String)]? = nil
    ) async throws -> DeviceConnection {
        try await DeviceConnection.connect(
            url: nativeURL(query, port: port),
            headers: (headers ?? [("Authorization", "Bearer dev:\(user)")])
                + [("Sec-WebSocket-Protocol", "earshot.v1")],
            on: MultiThreadedEventLoopGroup.singleton)
    }

    /// Connects as a device does: again, while it is told 503, because the store does not answer in time.
    func nativeOnceTaken(_ query: String = "") async throws -> DeviceConnection {
        try await onceTaken { try await native(query) }
    }

    /// The same for any connection.
    func onceTaken(_ connect: () async throws -> DeviceConnection) async throws -> DeviceConnection {
        try await eventually("the gateway takes the session") {
            do {
                return try await connect()
            } catch let error as DeviceConnectionError where error.refusal?.status == 503 {
                return nil
            }
        }
    }

    func nativeURL(_ query: String = "", port: Int? = nil) -> String {
        "ws://127.0.0.1:\(port ?? self.port)/v1/stream?codec=pcm16&sample_rate=16000\(query.isEmpty ? "" : "&")\(query)"
    }

    /// A user's frames as readers have them: what stands behind its session's end does not count, and each number
    /// counts once over the sessions of a chain.
    func frames(of user: String) async throws -> [[UInt8]] {
        var ended: Set<SessionID> = []
        var next: UInt64 = 0
        var frames: [[UInt8]] = []
        for entry in try await entries(of: user) where !ended.contains(entry.session) {
            if case .end = entry.content { ended.insert(entry.session) }
            guard entry.firstSequence <= next else { throw ChildProcess.Failure("a gap before \(entry.firstSequence)") }
            for (index, frame) in entry.frames.enumerated() where entry.firstSequence + UInt64(index) == next {
                frames.append(Array(frame.readableBytesView))
                next += 1
            }
        }
        return frames
    }

    /// Waits until the registry knows how far a session is.
    func untilNoted(_ session: String, last: UInt64, of user: String) async throws {
        guard let id = SessionID(session) else { throw ChildProcess.Failure("\(session) is no id") }
        try await eventually("the note") {
            try await fleet.handOff.session(id, group: .transcript, in: partition(of: user))?.last == last
        }
    }
}

/// The message `session`.
struct NativeOpened: Decodable {
    let session: String
    let conversation: String
    let isResumed: Bool
    let next: UInt64

    private enum CodingKeys: String, CodingKey {
        case session = "session_id"
        case conversation = "conversation_id"
        case isResumed = "resumed"
        case next
    }

    init?(_ text: String?) {
        guard let text, let value = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return nil }
        self = value
    }
}

/// Reads a native device's messages one after another, to the close.
final class NativeInbox: Sendable {
    private let texts: AsyncStream<String>
    private let code = Mutex<UInt16?>(nil)

    /// The one reader of a connection.
    init(_ connection: DeviceConnection) {
        let (texts, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(10_000))
        self.texts = texts
        Task {
            for await message in connection.messages {
                switch message {
                case .text(let text): continuation.yield(text)
                case .binary: break
                case .closed(let code, _): self.code.withLock { $0 = code }
                }
            }
            continuation.finish()
        }
    }

    /// The next text, or `nil` at the close.
    func next() async -> String? {
        for await text in texts { return text }
        return nil
    }

    /// Skips to the text that contains something.
    func skip(to part: String) async -> String? {
        while let text = await next() { if text.contains(part) { return text } }
        return nil
    }

    /// The texts up to the close.
    func rest() async -> [String] {
        var all: [String] = []
        while let text = await next() { all.append(text) }
        return all
    }

    /// Reads to the close.
    func closeCode() async -> UInt16? {
        while await next() != nil {}
        return code.withLock(\.self)
    }
}
