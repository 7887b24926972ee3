import AudioStreams
import CoreMetrics
import EarshotModel
import Logging

// How far every enabled group is behind.
extension Reconciliation {
    /// Measures the lag of every enabled group, as one sum over this coordinator's partitions.
    mutating func measureLagIfDue(in partitions: [Partition]) async throws(HandOffError) {
        if let last = lagMeasuredAt, ContinuousClock.now - last < limits.lagInterval { return }
        lagMeasuredAt = .now
        for (stream, groups) in configuration.groups.byStream {
            for group in groups {
                let lags = try await handOff.lag(of: group, stream: stream, in: partitions)
                let sum = LagSum(lags)
                metrics.lag(group, sum)
                if sum.unknownPartitions > 0 {
                    logger.error(
                        "the lag is unknown",
                        metadata: ["group": "\(group)", "partitions": "\(sum.unknownPartitions)"])
                }
                if group == .record, sum.longest >= limits.unrecordedMaximum {
                    logger.error(
                        "events are not recorded; Redis keeps them meanwhile",
                        metadata: ["longest": "\(sum.longest)", "entries": "\(sum.entries)"])
                }
                tellTrimmed(group, lags)
            }
        }
    }

    /// Counts what was trimmed before the group had it: the difference to the last look, as a lag says it every time.
    private mutating func tellTrimmed(_ group: WorkerGroup, _ lags: [GroupLag]) {
        var told = trimmedUnread[group] ?? [:]
        for lag in lags {
            let more = lag.trimmedUnread - (told[lag.partition] ?? 0)
            told[lag.partition] = lag.trimmedUnread
            guard more > 0 else { continue }
            metrics.trimmedUnread(group, more)
            logger.error(
                "entries were trimmed before a group had them",
                metadata: ["group": "\(group)", "partition": "\(lag.partition)", "entries": "\(more)"])
        }
        trimmedUnread[group] = told
    }
}
