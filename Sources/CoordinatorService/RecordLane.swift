import AudioStreams
import CoreMetrics
import EarshotModel
import SessionRecord
import WorkerRuntime

/// Writes a partition's events into the record, in batches and in order.
struct RecordLane: LaneProcessor {
    let record: any SessionRecord
    let batchMaximum: Int
    let recorded: Counter
    let batches: Counter
    let refused: Counter

    init(record: any SessionRecord, batchMaximum: Int, factory: any MetricsFactory) {
        self.record = record
        self.batchMaximum = batchMaximum
        recorded = Counter(label: "record.events", factory: factory)
        batches = Counter(label: "record.batches", factory: factory)
        refused = Counter(label: "record.events.refused", factory: factory)
    }

    mutating func absorb(_ entries: [LaneEntry], in context: LaneContext) async throws {
        var rest = entries[...]
        while !rest.isEmpty {
            let batch = rest.prefix(batchMaximum)
            rest = rest.dropFirst(batch.count)
            try await write(Array(batch))
            guard let last = batch.last else { return }
            try await context.commit(LaneOutput(progress: LaneProgress(next: last.nextSequence)))
        }
    }

    private func write(_ entries: [LaneEntry]) async throws {
        var events: [SessionEvent] = []
        for entry in entries {
            do {
                events.append(try SessionEvent(json: entry.entry.payload))
            } catch  where entries.count == 1 {
                throw LaneFailure.entry("not an event: \(error)")
            } catch {
                // One bad event must not take its neighbours along.
                return try await writeEach(entries)
            }
        }
        do throws(SessionRecordError) {
            try await record.write(events)
            recorded.increment(by: events.count)
            batches.increment()
        } catch {
            switch error.code {
            case .unavailable: throw LaneFailure.dependency(name: "postgres", reason: error.message)
            case .refused:
                guard entries.count == 1 else { return try await writeEach(entries) }
                refused.increment()
                throw LaneFailure.entry(error.message)
            }
        }
    }

    private func writeEach(_ entries: [LaneEntry]) async throws {
        for entry in entries { try await write([entry]) }
    }

    mutating func finish(_ reason: EndReason, marker: LaneEntry, in context: LaneContext) async throws {}
    mutating func idle(in context: LaneContext) async throws {}
    mutating func cut(in context: LaneContext) async throws {}
}
