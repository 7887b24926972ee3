package import EarshotModel
package import SessionRecord
package import WorkerRuntime

/// Opens the record's lanes: one a partition, on its event stream.
package struct RecordLaneFactory: LaneProcessorFactory {
    private let record: any SessionRecord
    private let limits: Limits

    /// Makes lanes that write into a record.
    package init(record: any SessionRecord, limits: Limits) {
        self.record = record
        self.limits = limits
    }

    package func open(_ opening: LaneOpening) throws -> any LaneProcessor {
        RecordLane(record: record, batchMaximum: limits.recordBatchMaximum)
    }
}
