import AudioStreams
import EarshotClient
import EarshotModel
import FoundationEssentials
import GatewayService
import NIOCore
import NIOPosix
import TestSupport

/// The listen side of the back-end protocol, as a back end of today speaks it.
final class BackendPeer: Sendable {
    static let key = "a-service-key-of-the-tests"
    let connection: DeviceConnection
    private let messages: AsyncStream<DeviceMessage>

    private init(_ connection: DeviceConnection) {
        self.connection = connection
        let (messages, continuation) = AsyncStream.makeStream(
            of: DeviceMessage.self, bufferingPolicy: .bufferingNewest(10_000))
        self.messages = messages
        Task {
            for await message in connection.messages { continuation.yield(message) }
            continuation.finish()
        }
    }

    /// Connects with the key of the tests.
    static func connect(
        _ harness: GatewayHarness, _ query: String = "uid=alice&sample_rate=16000", key: String? = key,
        headers: [(String, String)] = []
    ) async throws -> BackendPeer {
        let authorization = key.map { [("Authorization", "Bearer \($0)")] } ?? []
        return BackendPeer(
            try await DeviceConnection.connect(
                url: harness.url(query, path: "/v1/trigger/listen"), headers: authorization + headers,
                on: MultiThreadedEventLoopGroup.singleton))
    }

    func send(_ opcode: UInt32, _ payload: [UInt8] = []) async throws {
        try await connection.send(binary: Self.message(opcode, payload))
    }

    func send(_ opcode: UInt32, _ text: String) async throws { try await send(opcode, Array(text.utf8)) }

    /// 101: samples of one value.
    func audio(_ time: Double, samples: Int = 1_600, value: Int16 = 1) async throws {
        try await send(101, Self.stamp(time) + Self.pcm(samples, value))
    }

    static func message(_ opcode: UInt32, _ payload: [UInt8]) -> [UInt8] { bytes(opcode) + payload }
    static func stamp(_ time: Double) -> [UInt8] { bytes(time.bitPattern) }
    static func pcm(_ samples: Int, _ value: Int16) -> [UInt8] { (0..<samples).flatMap { _ in bytes(value) } }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    /// Reads the next message: its opcode and text.
    func next() async -> (opcode: UInt32, text: String)? {
        for await message in messages {
            guard case .binary(let bytes) = message, bytes.count >= 4 else { return nil }
            let opcode = bytes[..<4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return (opcode, String(decoding: bytes[4...], as: UTF8.self))
        }
        return nil
    }

    /// Reads up to the close.
    func untilClosed() async -> (code: UInt16?, reason: String) {
        for await message in messages { if case .closed(let code, let reason) = message { return (code, reason) } }
        return (nil, "")
    }
}

extension GatewayHarness {
    /// A gateway whose back-end door is open for the key of the tests.
    static func withDoor(
        isStrict: Bool = false, limits: Limits = Limits(), server: RedisServer? = nil,
        _ body: @Sendable (GatewayHarness) async throws -> Void
    ) async throws {
        try await with(
            limits: limits, redis: server?.configuration,
            backend: BackendDoor(keys: [BackendPeer.key], isStrict: isStrict) ?? .closed, body)
    }

    /// The user's events so far.
    func events(of user: String, _ type: SessionEvent.Kind) async throws -> [SessionEvent] {
        try await fleet.handOff.entries(of: .events, in: partition(of: user), after: .start, count: 100_000)
            .map { try SessionEvent(json: $0.payload) }
            .filter { $0.uid == user && $0.type == type }
    }

    /// The sessions the user opened, oldest first.
    func sessions(of user: String) async throws -> [SessionEvent] { try await events(of: user, .sessionStarted) }

    /// A session's PCM as a reader has it: each frame once.
    func audio(of session: SessionEvent) async throws -> [UInt8] {
        var next: UInt64 = 0
        var bytes: [UInt8] = []
        for entry in try await entries(of: session.uid) where entry.session.description == session.session {
            for (index, frame) in entry.frames.enumerated() where entry.firstSequence + UInt64(index) == next {
                bytes += Array(frame.readableBytesView)
                next += 1
            }
        }
        return bytes
    }

    /// The capture times of a session's entries.
    func captures(of session: SessionEvent) async throws -> [(time: Int64, samples: Int)] {
        try await entries(of: session.uid)
            .filter { $0.session.description == session.session && !$0.frames.isEmpty }
            .map { ($0.captureTime, Int($0.sampleCount)) }
    }

    /// Waits until so many sessions of a user are over, and returns them all.
    func untilOver(_ count: Int, of user: String = "alice") async throws -> [SessionEvent] {
        try await eventually("\(count) sessions of \(user) are over") {
            let ends = try await entries(of: user).count { if case .end = $0.content { true } else { false } }
            return ends == count ? try await sessions(of: user) : nil
        }
    }

    /// The requests for samples of a user's partition.
    func sampleRequests(of user: String) async throws -> [SpeakerSampleRequest] {
        try await fleet.handOff.entries(of: .speakerSample, in: partition(of: user), after: .start, count: 1_000)
            .map { try JSONDecoder().decode(SpeakerSampleRequest.self, from: Data($0.payload.readableBytesView)) }
    }
}
