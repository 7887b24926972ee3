package import AudioStreams
package import EarshotModel

extension HandOff {
    /// Enables groups of the two main streams.
    package func enable(
        audioGroups: [WorkerGroup], eventGroups: [WorkerGroup], in partitions: [Partition]
    ) async throws(HandOffError) {
        try await enable(EnabledGroups(audio: audioGroups, events: eventGroups), in: partitions)
    }
}
