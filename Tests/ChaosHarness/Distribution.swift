/// Quantiles of some measurements.
struct Distribution: Sendable {
    private let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    var count: Int { sorted.count }

    /// The value below which a share of all lies.
    func quantile(_ share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }

    /// As figures of a report.
    func figures(_ name: String) -> [String: Double] {
        [
            "\(name)_count": Double(count), "\(name)_p50_s": quantile(0.5), "\(name)_p90_s": quantile(0.9),
            "\(name)_p99_s": quantile(0.99), "\(name)_max_s": sorted.last ?? 0,
        ]
    }
}
