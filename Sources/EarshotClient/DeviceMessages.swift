import NIOCore
import Synchronization

/// The messages that a connection receives, in order, ending with `DeviceMessage.closed`.
///
/// There is one reader: a second iterator gives nothing. While at most `DeviceClientLimits.unreadMessagesMax` messages
/// wait, the socket is read; then it is not, and TCP slows the server down. Leaving the loop early, or cancelling its
/// task, discards everything that comes later.
package struct DeviceMessages: AsyncSequence, Sendable {
    /// What the sequence consists of.
    package typealias Element = DeviceMessage

    typealias Producer = NIOAsyncSequenceProducer<
        DeviceMessage, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, DeviceConnectionDemand
    >

    /// Gives out the messages to the one reader.
    package struct AsyncIterator: AsyncIteratorProtocol {
        let producer: Producer.AsyncIterator?

        /// Returns the next message, or `nil` after the end or when the task is cancelled.
        @concurrent
        package mutating func next() async -> DeviceMessage? {
            await producer?.next()
        }
    }

    private final class Claim: Sendable {
        private let isTaken = Atomic(false)

        func take() -> Bool {
            !isTaken.exchange(true, ordering: .relaxed)
        }
    }

    private let producer: Producer
    private let claim = Claim()

    init(producer: Producer) {
        self.producer = producer
    }

    /// Returns the reader's iterator; any later call returns one that is at its end.
    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(producer: claim.take() ? producer.makeAsyncIterator() : nil)
    }
}
