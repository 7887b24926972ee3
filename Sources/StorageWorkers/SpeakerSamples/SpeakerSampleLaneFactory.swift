package import WorkerRuntime

/// Opens the speaker-sample worker's lanes: one a partition.
package struct SpeakerSampleLaneFactory: LaneProcessorFactory {
    private let maker: SampleMaker
    private let limits: SampleLimits

    /// Makes lanes that share what makes samples.
    package init(maker: SampleMaker, limits: SampleLimits = SampleLimits()) {
        self.maker = maker
        self.limits = limits
    }

    package func open(_ opening: LaneOpening) throws -> any LaneProcessor {
        SpeakerSampleLane(maker: maker, partition: opening.partition, limits: limits)
    }
}
