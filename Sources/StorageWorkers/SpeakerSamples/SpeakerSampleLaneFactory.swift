package import AudioStreams
package import WorkerRuntime

/// Opens the speaker-sample worker's lanes: one a partition.
package struct SpeakerSampleLaneFactory: LaneProcessorFactory {
    private let maker: SampleMaker
    private let handOff: any HandOff
    private let limits: SampleLimits

    /// Makes lanes that share what makes samples; requests that must be tried again go to the hand-off.
    package init(maker: SampleMaker, handOff: any HandOff, limits: SampleLimits = SampleLimits()) {
        self.maker = maker
        self.handOff = handOff
        self.limits = limits
    }

    package func open(_ opening: LaneOpening) throws -> any LaneProcessor {
        SpeakerSampleLane(maker: maker, handOff: handOff, partition: opening.partition, limits: limits)
    }
}
