/// All series of one name.
struct MetricFamily {
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    enum Cell {
        case counter(CounterCell)
        case gauge(GaugeCell)
        case histogram(HistogramCell)

        var kind: Kind {
            switch self {
            case .counter: .counter
            case .gauge: .gauge
            case .histogram: .histogram
            }
        }

        var object: AnyObject {
            switch self {
            case .counter(let cell): cell
            case .gauge(let cell): cell
            case .histogram(let cell): cell
            }
        }
    }

    let kind: Kind
    /// By their labels as they are rendered, such as `reason="timeout"`; empty for none.
    var series: [String: Cell] = [:]

    /// Appends the family in the text format, labels sorted.
    func render(name: String, into text: inout String) {
        text += "# TYPE \(name) \(kind.rawValue)\n"
        for (labels, cell) in series.sorted(by: { $0.key < $1.key }) {
            switch cell {
            case .counter(let cell): text += Self.line(name, labels, Self.number(cell.current))
            case .gauge(let cell): text += Self.line(name, labels, Self.number(cell.current))
            case .histogram(let cell): Self.render(cell, name: name, labels: labels, into: &text)
            }
        }
    }

    private static func render(_ cell: HistogramCell, name: String, labels: String, into text: inout String) {
        let snapshot = cell.snapshot
        let joint = labels.isEmpty ? "" : labels + ","
        for (bound, count) in zip(cell.bounds, snapshot.cumulative) {
            text += line("\(name)_bucket", #"\#(joint)le="\#(number(bound))""#, "\(count)")
        }
        text += line("\(name)_bucket", #"\#(joint)le="+Inf""#, "\(snapshot.count)")
        text += line("\(name)_sum", labels, number(snapshot.sum))
        text += line("\(name)_count", labels, "\(snapshot.count)")
    }

    static func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// Whole numbers without a fraction, and the three words of the format for what is no number.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 9e15 { return "\(Int64(value))" }
        return "\(value)"
    }
}
