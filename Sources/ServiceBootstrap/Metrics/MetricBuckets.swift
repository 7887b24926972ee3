/// The fixed bucket bounds of histograms, one list a unit.
///
/// Fixed buckets, and not quantiles: buckets of many processes can be added up, quantiles cannot.
package enum MetricBuckets {
    /// Seconds: from a Redis round trip (under 1 ms) through a phrase's latency (0.1 to 2.5 s) to a drain (30 s).
    package static let seconds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 30, 60,
    ]
    /// Bytes: from a keep-alive to a 60 s part of PCM, by factors of four.
    package static let bytes: [Double] = [64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]
    /// Counts: 1-2-5 steps up to a full stream read, coarser beyond.
    package static let counts: [Double] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 10_000, 100_000]

    /// Chooses by the unit, which stands last in a metric's name.
    static func bounds(for label: String) -> [Double] {
        if label.hasSuffix("seconds") { return seconds }
        if label.hasSuffix("bytes") { return bytes }
        return counts
    }
}
