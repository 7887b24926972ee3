package import CoreMetrics
import Synchronization

/// A swift-metrics back end that keeps all series in memory and renders them in the text format 0.0.4.
///
/// Counters get the suffix `_total`, timers are histograms in `_seconds`, recorders are histograms in the buckets of
/// their unit, gauges and meters are gauges. Asking twice for one label and the same dimensions gives the same
/// series. Safe from any thread.
package final class PrometheusMetrics: MetricsFactory, Sendable {
    /// Most series of a process.
    ///
    /// Labels are closed sets, so a role needs some hundreds; a label that grows with users or sessions must not take
    /// the memory. What is over the bound is not shown.
    package static let seriesMaximum = 2_000

    private struct State {
        var families: [String: MetricFamily] = [:]
        var count = 0
        var refusedOverflow = 0.0
        var refusedConflict = 0.0
    }

    private let prefix: String
    private let seriesMaximum: Int
    private let includesProcess: Bool
    private let state = Mutex(State())

    /// Starts without any series.
    ///
    /// - Parameters:
    ///   - prefix: Put before every name, with an underscore.
    ///   - seriesMaximum: The bound; tests make it small.
    ///   - includesProcess: Renders what the system knows about this process, too (`process_…`).
    package init(
        prefix: String = "earshot", seriesMaximum: Int = PrometheusMetrics.seriesMaximum,
        includesProcess: Bool = true
    ) {
        self.prefix = prefix
        self.seriesMaximum = seriesMaximum
        self.includesProcess = includesProcess
    }

    /// The media type that belongs to `render()`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All series as text, sorted by name.
    package func render() -> String {
        let (families, overflow, conflict) = state.withLock { ($0.families, $0.refusedOverflow, $0.refusedConflict) }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            family.render(name: name, into: &text)
        }
        let refused = MetricName.metric("metrics.refused", prefix: prefix, suffix: "total")
        text += "# TYPE \(refused) counter\n"
        text += MetricFamily.line(refused, #"reason="kind_conflict""#, MetricFamily.number(conflict))
        text += MetricFamily.line(refused, #"reason="too_many_series""#, MetricFamily.number(overflow))
        if includesProcess { text += ProcessMetrics.read().rendered }
        return text
    }

    // MARK: MetricsFactory

    /// A counter; its name ends in `_total`.
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    /// A counter with fractions; its name ends in `_total`.
    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    /// A gauge.
    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    /// A histogram, or a gauge when it does not aggregate.
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return gauge(label, dimensions) }
        return histogram(label, dimensions, suffix: "", bounds: MetricBuckets.bounds(for: label))
    }

    /// A histogram of seconds; its name ends in `_seconds`.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, suffix: "seconds", bounds: MetricBuckets.seconds)
    }

    /// Forgets the series.
    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    /// Forgets the series.
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    /// Forgets the series.
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    /// Forgets the series.
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    /// Forgets the series.
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    // MARK: Series

    private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterCell {
        let cell = cell(label, dimensions, suffix: "total", kind: .counter) { .counter(CounterCell()) }
        guard case .counter(let counter) = cell else { return CounterCell() }
        return counter
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeCell {
        guard case .gauge(let gauge) = cell(label, dimensions, suffix: "", kind: .gauge, make: { .gauge(GaugeCell()) })
        else { return GaugeCell() }
        return gauge
    }

    private func histogram(
        _ label: String, _ dimensions: [(String, String)], suffix: String, bounds: [Double]
    ) -> HistogramCell {
        let cell = cell(label, dimensions, suffix: suffix, kind: .histogram) {
            .histogram(HistogramCell(bounds: bounds))
        }
        guard case .histogram(let histogram) = cell else { return HistogramCell(bounds: bounds) }
        return histogram
    }

    /// Finds or makes a series; nil when there are too many, or the name belongs to another kind.
    private func cell(
        _ label: String, _ dimensions: [(String, String)], suffix: String, kind: MetricFamily.Kind,
        make: () -> MetricFamily.Cell
    ) -> MetricFamily.Cell? {
        let name = MetricName.metric(label, prefix: prefix, suffix: suffix)
        let labels = Self.rendered(dimensions)
        return state.withLock { state in
            let family = state.families[name] ?? MetricFamily(kind: kind)
            guard family.kind == kind else {
                state.refusedConflict += 1
                return nil
            }
            if let cell = family.series[labels] { return cell }
            guard state.count < seriesMaximum else {
                state.refusedOverflow += 1
                return nil
            }
            let cell = make()
            state.families[name, default: family].series[labels] = cell
            state.count += 1
            return cell
        }
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let labels = family.series.first(where: { $0.value.object === handler })?.key else { continue }
                state.families[name]?.series[labels] = nil
                if state.families[name]?.series.isEmpty == true { state.families[name] = nil }
                state.count -= 1
                return
            }
        }
    }

    /// Sorted by name, so that the order of dimensions makes no second series; of two equal names the first stays.
    private static func rendered(_ dimensions: [(String, String)]) -> String {
        var labels: [String: String] = [:]
        for (name, value) in dimensions {
            let name = MetricName.label(name)
            if labels[name] == nil { labels[name] = MetricName.escaped(value) }
        }
        return labels.sorted { $0.key < $1.key }.map { #"\#($0.key)="\#($0.value)""# }.joined(separator: ",")
    }
}
