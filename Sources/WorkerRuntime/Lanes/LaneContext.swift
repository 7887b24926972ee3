import AudioStreams
package import EarshotModel

/// What a processor may do besides computing.
package struct LaneContext: Sendable {
    let key: LaneKey
    let consumer: PartitionConsumer

    /// Commits outputs with the input they cover and returns when that is durable.
    ///
    /// - Throws: `LaneFailure.abandoned` when the partition is no longer this process's; nothing was written.
    package func commit(_ output: LaneOutput) async throws(LaneFailure) {
        try await consumer.commit(output, of: key)
    }

    /// Publishes a result that is never committed; lost when Redis or the lease is.
    package func publish(_ result: LiveResult, to gateway: Incarnation) async {
        await consumer.publish(result, to: gateway)
    }

    /// Whether the lane goes on behind a cut; at a hand-over it does not, and computes ahead for nobody.
    package var goesOn: Bool {
        get async { await consumer.isConsuming }
    }

    /// Says how many bytes the lane holds absorbed but not committed.
    package func hold(bytes: Int) async { await consumer.hold(bytes: bytes, of: key) }
}
