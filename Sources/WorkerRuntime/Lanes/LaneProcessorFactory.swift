/// Opens lanes of one worker type.
package protocol LaneProcessorFactory: Sendable {
    /// Makes the processor of a lane that begins at its committed progress.
    func open(_ opening: LaneOpening) throws -> any LaneProcessor
}
