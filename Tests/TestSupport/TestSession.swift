package import AudioStreams
package import EarshotModel
package import NIOCore

/// One session of a test: its ids, its registration, and entries with known frames.
package struct TestSession: Sendable {
    package let id: SessionID
    package let user: UserID
    package let gateway: Incarnation
    package let startedAt: Int64

    /// A fixed instant, Unix µs; tests count from it.
    package static let epoch: Int64 = 1_760_000_000_000_000

    /// A session of a user.
    package init(user: String, gateway: Incarnation = Incarnation(startingAs: "gateway-0"), at now: Int64 = epoch) {
        guard let user = UserID(user) else { preconditionFailure("\(user) is no user id") }
        self.id = .new(at: now)
        self.user = user
        self.gateway = gateway
        self.startedAt = now
    }

    /// The request that registers it.
    package func registration(conversation: ConversationID? = nil, timeout: Int = 120) -> SessionRegistration {
        SessionRegistration(
            session: id, user: user, gateway: gateway, now: startedAt,
            parameters: SessionParameters(
                codec: .opus, sampleRate: 16_000, conversationTimeout: timeout, clientConversation: conversation))
    }

    /// The request that registers it as the one that continues another.
    package func resuming(_ predecessor: SessionID, first: UInt64 = 0) -> SessionRegistration {
        var request = registration()
        request.predecessor = predecessor
        request.first = first
        return request
    }

    /// The request that ends it.
    package func ending(
        epoch: FencingToken?, gateway: Incarnation? = nil, frames: UInt64 = 0, reason: EndReason = .clientClosed,
        at now: Int64 = epoch + 1_000_000
    ) -> SessionEnding {
        SessionEnding(
            session: id, user: user, epoch: epoch, gateway: gateway ?? self.gateway, reason: reason, frames: frames,
            now: now)
    }

    /// The bytes of an entry with frames from a sequence number on.
    package func entry(from first: UInt64, _ frames: [ByteBuffer], flags: WorkerFlags = .transcript) -> ByteBuffer {
        var buffer = ByteBuffer()
        AudioEntry(
            session: id, epoch: 1, firstSequence: first, firstSample: first * 160,
            sampleCount: UInt32(frames.count * 160), captureTime: startedAt + Int64(first) * 10_000, flags: flags,
            language: "en", content: .frames(frames)
        ).encode(into: &buffer)
        return buffer
    }

    /// The bytes of an entry with so many frames, each made of its number.
    package func entry(from first: UInt64, count: Int, flags: WorkerFlags = .transcript) -> ByteBuffer {
        entry(from: first, (0..<UInt64(count)).map { Self.frame(first + $0) }, flags: flags)
    }

    /// The frame of a number: 8 to 24 bytes.
    package static func frame(_ sequence: UInt64) -> ByteBuffer {
        var buffer = ByteBuffer(integer: sequence)
        buffer.writeRepeatingByte(UInt8(truncatingIfNeeded: sequence), count: Int(sequence % 17))
        return buffer
    }
}
