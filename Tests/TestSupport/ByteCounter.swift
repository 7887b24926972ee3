import AudioStreams
package import EarshotModel
import NIOCore
package import WorkerRuntime

/// The simplest honest lane: it counts and hashes bytes, and commits an event for every so many.
package struct ByteCounter: LaneProcessor {
    /// Makes byte counters.
    package struct Factory: LaneProcessorFactory {
        /// Bytes after which an event is committed.
        package var bytesPerEvent: Int
        /// Called before each frame is taken in; what it throws, the processor throws.
        package var onFrame: @Sendable (SessionID, AudioFrame) async throws -> Void
        /// Called when the lane is told something else than frames: `open`, `idle`, `cut` or `finish`.
        package var onCall: @Sendable (SessionID, String) async throws -> Void

        /// Counters that do nothing else.
        package init(
            bytesPerEvent: Int, onFrame: @escaping @Sendable (SessionID, AudioFrame) async throws -> Void = { _, _ in },
            onCall: @escaping @Sendable (SessionID, String) async throws -> Void = { _, _ in }
        ) {
            self.bytesPerEvent = bytesPerEvent
            self.onFrame = onFrame
            self.onCall = onCall
        }

        /// Begins where the lane's commits left it.
        package func open(_ opening: LaneOpening) throws -> any LaneProcessor {
            guard case .session(let session) = opening.key else {
                throw LaneFailure.entry("a byte counter is for sessions")
            }
            return ByteCounter(session: session, factory: self, progress: opening.progress)
        }
    }

    private let session: SessionID
    private let factory: Factory
    private var progress: LaneProgress
    /// Bytes covered by events, as the lane's state keeps it.
    private var offset: UInt64
    private var held = ByteBuffer()
    private var next: UInt64

    private init(session: SessionID, factory: Factory, progress: LaneProgress) {
        self.session = session
        self.factory = factory
        self.progress = progress
        self.next = progress.next
        self.offset = ByteBuffer(bytes: progress.state).getInteger(at: 0) ?? 0
    }

    /// Counts frames, and commits when there are enough.
    package mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws {
        for entry in entries {
            for frame in entry.frames {
                try await factory.onFrame(session, frame)
                held.writeImmutableBuffer(frame.bytes)
                next = frame.sequence + 1
                if held.readableBytes >= factory.bytesPerEvent { try await emit(in: context) }
            }
        }
        await context.hold(bytes: held.readableBytes)
    }

    /// Commits the rest with the end.
    package mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws {
        try await factory.onCall(session, "finish")
        try await emit(isEnd: true, in: context)
    }

    /// Commits what is held.
    package mutating func idle(in context: LaneContext) async throws {
        try await factory.onCall(session, "idle")
        if held.readableBytes > 0 { try await emit(in: context) }
    }

    /// Commits what is held.
    package mutating func cut(in context: LaneContext) async throws {
        try await factory.onCall(session, "cut")
        if held.readableBytes > 0 || next > progress.next { try await emit(in: context) }
    }

    private mutating func emit(isEnd: Bool = false, in context: LaneContext) async throws(LaneFailure) {
        let event = ByteEvent(session: session, from: offset, bytes: held, isEnd: isEnd)
        progress.next = next
        progress.ordinal += 1
        progress.events += 1
        progress.state = ByteBuffer(integer: event.to).readableBytesView.map { $0 }
        progress.isDone = isEnd
        try await context.commit(LaneOutput(progress: progress, events: [event.text]))
        offset = event.to
        held.clear()
        await context.hold(bytes: 0)
    }
}
