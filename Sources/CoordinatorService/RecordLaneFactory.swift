package import CoreMetrics
package import EarshotModel
package import SessionRecord
package import WorkerRuntime

/// Opens the record's lanes: one a partition, on its event stream.
package struct RecordLaneFactory: LaneProcessorFactory {
    private let record: any SessionRecord
    private let limits: Limits
    private let metrics: any MetricsFactory

    /// Makes lanes that write into a record; the counters are kept in `metrics`, tests pass their own.
    package init(
        record: any SessionRecord, limits: Limits, metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        self.record = record
        self.limits = limits
        self.metrics = metrics
    }

    package func open(_ opening: LaneOpening) throws -> any LaneProcessor {
        RecordLane(record: record, batchMaximum: limits.recordBatchMaximum, factory: metrics)
    }
}

extension Limits {
    /// The limits of the worker that writes the record: whole batches are read and handed over, for events are small.
    package var ofRecord: Limits {
        var limits = self
        limits.readCount = recordBatchMaximum
        limits.laneInboxEntriesMaximum = 2 * recordBatchMaximum
        return limits
    }
}
