import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// The old design, for comparison: work is awaited inside the connection that brought it.
///
/// Each connection has a task that reads a frame, hands it to a back end over a connection of its own, and waits for
/// the answer before it reads on. What is not answered is waited for without end, and the session counts as active
/// until its task is through; there is nobody else who could end it.
final class ConnectionBoundServer: Sendable {
    private let backEndPort: Int
    private let active = Mutex(0)
    private let listener: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>

    /// Where devices connect.
    var port: Int { listener.channel.localAddress?.port ?? 0 }
    /// Sessions that count as active.
    var activeCount: Int { active.withLock(\.self) }

    /// Listens; the back end must echo what it gets.
    init(backEndPort: Int) async throws {
        self.backEndPort = backEndPort
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
            }
    }

    /// Serves until the task is cancelled, which frees also what hangs.
    func run() async throws {
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask { try? await self.serve(connection) }
                }
            }
        }
    }

    private func serve(_ device: NIOAsyncChannel<ByteBuffer, ByteBuffer>) async throws {
        active.withLock { $0 += 1 }
        defer { active.withLock { $0 -= 1 } }
        let backEnd = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: backEndPort) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await device.executeThenClose { frames, _ in
            try await backEnd.executeThenClose { answers, requests in
                var answer = answers.makeAsyncIterator()
                for try await frame in frames {
                    try await requests.write(frame)
                    // The flaw: nothing bounds this wait, and the device's end is not noticed in it.
                    var pending = frame.readableBytes
                    while pending > 0, let bytes = try await answer.next() { pending -= bytes.readableBytes }
                    if pending > 0 { return }
                }
            }
        }
    }
}
