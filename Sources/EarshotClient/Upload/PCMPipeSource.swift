import NIOCore
import NIOPosix

/// Raw PCM out of a pipe, such as a microphone's (`arecord -t raw … |`), in messages of one length.
package struct PCMPipeSource: UploadSource {
    private let descriptor: CInt
    private let bytesPerMessage: Int
    private let bytesPerSecond: Int

    /// Reads a pipe, which it owns from then on.
    ///
    /// While the upload has no room, the pipe is not read: whoever writes it has to wait, or says what it loses.
    ///
    /// - Parameters:
    ///   - descriptor: The pipe's reading end.
    ///   - codec: `pcm8` or `pcm16`.
    ///   - sampleRate: In Hz.
    package init(descriptor: CInt, codec: DeviceCodec, sampleRate: Int) {
        self.descriptor = descriptor
        bytesPerSecond = sampleRate * (codec == .pcm8 ? 1 : 2)
        // Tenths of a second, in whole samples.
        bytesPerMessage = max(2, bytesPerSecond / 10 / 2 * 2)
    }

    /// Gives the audio as it comes, and what is left at the end of the pipe.
    @concurrent
    package func deliver(to take: @Sendable (UploadFrame) async throws -> Void) async throws {
        let channel = try await NIOPipeBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .takingOwnershipOfDescriptor(input: descriptor) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, Never>(wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound in
            var pending = ByteBuffer()
            for try await bytes in inbound {
                pending.writeImmutableBuffer(bytes)
                while let message = pending.readSlice(length: bytesPerMessage) { try await take(frame(message)) }
                pending.discardReadBytes()
            }
            if pending.readableBytes > 0 { try await take(frame(pending)) }
        }
    }

    private func frame(_ bytes: ByteBuffer) -> UploadFrame {
        UploadFrame(payload: bytes, duration: .microseconds(bytes.readableBytes * 1_000_000 / bytesPerSecond))
    }
}
