import CoreMetrics
import Testing

@testable import ServiceBootstrap

@Suite("Prometheus metrics")
struct PrometheusMetricsTests {
    private let metrics = PrometheusMetrics(includesProcess: false)

    private func lines() -> [String] { metrics.render().split(separator: "\n").map(String.init) }

    @Test("A counter counts under its name, with its labels sorted")
    func counter() {
        let dimensions = [("reason", "timeout"), ("code", "1001")]
        let counter = Counter(label: "gateway.sessions.closed", dimensions: dimensions, factory: metrics)
        counter.increment()
        Counter(label: "gateway.sessions.closed", dimensions: dimensions.reversed(), factory: metrics).increment(by: 4)
        let fractions = FloatingPointCounter(label: "audio.seconds", factory: metrics)
        fractions.increment(by: 0.5)
        fractions.increment(by: -1)
        #expect(lines().contains("# TYPE earshot_gateway_sessions_closed_total counter"))
        #expect(lines().contains(#"earshot_gateway_sessions_closed_total{code="1001",reason="timeout"} 5"#))
        #expect(lines().contains("earshot_audio_seconds_total 0.5"))
        counter.reset()
        #expect(lines().contains(#"earshot_gateway_sessions_closed_total{code="1001",reason="timeout"} 0"#))
    }

    @Test("Gauges and meters show their last value")
    func gauges() {
        Gauge(label: "gateway.sessions", factory: metrics).record(12)
        let meter = Meter(label: "lag", factory: metrics)
        meter.set(2.5)
        meter.increment(by: 2)
        meter.decrement(by: 1)
        Gauge(label: "odd", factory: metrics).record(Double.infinity)
        #expect(lines().contains("# TYPE earshot_gateway_sessions gauge"))
        #expect(lines().contains("earshot_gateway_sessions 12"))
        #expect(lines().contains("earshot_lag 3.5"))
        #expect(lines().contains("earshot_odd +Inf"))
    }

    @Test("A timer is a histogram in seconds whose buckets add up")
    func timer() {
        let timer = CoreMetrics.Timer(label: "worker.commit", dimensions: [("group", "transcript")], factory: metrics)
        timer.recordMilliseconds(1)
        timer.recordMilliseconds(30)
        timer.recordSeconds(90)
        let lines = lines()
        #expect(lines.contains("# TYPE earshot_worker_commit_seconds histogram"))
        #expect(lines.contains(#"earshot_worker_commit_seconds_bucket{group="transcript",le="0.0005"} 0"#))
        #expect(lines.contains(#"earshot_worker_commit_seconds_bucket{group="transcript",le="0.001"} 1"#))
        #expect(lines.contains(#"earshot_worker_commit_seconds_bucket{group="transcript",le="0.05"} 2"#))
        #expect(lines.contains(#"earshot_worker_commit_seconds_bucket{group="transcript",le="60"} 2"#))
        #expect(lines.contains(#"earshot_worker_commit_seconds_bucket{group="transcript",le="+Inf"} 3"#))
        #expect(lines.contains(#"earshot_worker_commit_seconds_count{group="transcript"} 3"#))
        #expect(lines.contains(#"earshot_worker_commit_seconds_sum{group="transcript"} 90.031"#))
    }

    @Test("Recorders take the buckets of their unit")
    func recorders() {
        Recorder(label: "batch.bytes", factory: metrics).record(100)
        Recorder(label: "batch.entries", factory: metrics).record(3)
        #expect(lines().contains(#"earshot_batch_bytes_bucket{le="256"} 1"#))
        #expect(lines().contains(#"earshot_batch_entries_bucket{le="5"} 1"#))
    }

    @Test("Names and values are made safe")
    func names() {
        #expect(MetricName.metric("a-b.c/d", prefix: "", suffix: "total") == "a_b_c_d_total")
        #expect(MetricName.metric("9lives", prefix: "", suffix: "") == "_9lives")
        #expect(MetricName.metric("", prefix: "", suffix: "") == "_")
        #expect(MetricName.metric("earshot.up", prefix: "earshot", suffix: "") == "earshot_up")
        #expect(MetricName.metric("x.total", prefix: "", suffix: "total") == "x_total")
        #expect(MetricName.label("le") == "label_le")
        #expect(MetricName.label("__name__") == "label___name__")
        #expect(MetricName.label("a:b") == "a_b")
        Counter(label: "x", dimensions: [("k", "a\"b\\c\nd")], factory: metrics).increment()
        #expect(lines().contains(#"earshot_x_total{k="a\"b\\c\nd"} 1"#))
        #expect(MetricName.escaped(String(repeating: "a", count: 1000)).count == MetricName.valueScalarsMaximum)
    }

    @Test("Too many series and a name of another kind are refused and counted, and the handlers still work")
    func bounds() {
        let metrics = PrometheusMetrics(seriesMaximum: 3, includesProcess: false)
        for number in 0..<5 {
            Counter(label: "c", dimensions: [("n", "\(number)")], factory: metrics).increment()
        }
        Gauge(label: "c.total", factory: metrics).record(1)
        let text = metrics.render()
        #expect(text.contains(#"earshot_c_total{n="2"} 1"#))
        #expect(!text.contains(#"n="3""#))
        #expect(text.contains(#"earshot_metrics_refused_total{reason="too_many_series"} 2"#))
        #expect(text.contains(#"earshot_metrics_refused_total{reason="kind_conflict"} 1"#))
    }

    @Test("A destroyed series is forgotten and makes room")
    func destroy() {
        let metrics = PrometheusMetrics(seriesMaximum: 1, includesProcess: false)
        let first = Counter(label: "first", factory: metrics)
        first.increment()
        first.destroy()
        Gauge(label: "second", factory: metrics).record(1)
        #expect(!metrics.render().contains("first"))
        #expect(metrics.render().contains("earshot_second 1"))
    }

    @Test("Concurrent increments are all counted")
    func concurrent() async {
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask { [metrics] in
                    for _ in 0..<1000 { Counter(label: "hits", factory: metrics).increment() }
                }
            }
        }
        #expect(lines().contains("earshot_hits_total 8000"))
    }

    @Test("The process shows its memory, files, CPU time and start")
    func process() throws {
        let process = ProcessMetrics.read()
        #expect(try #require(process.residentBytes) > 1_000_000)
        #expect(try #require(process.openFiles) >= 3)
        #expect(try #require(process.openFilesMaximum) >= 3)
        #expect(try #require(process.cpuSeconds) >= 0)
        #expect(try #require(process.threads) >= 1)
        #expect(try #require(process.startTime) > 1_600_000_000)
        let text = PrometheusMetrics().render()
        #expect(text.contains("# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes "))
    }

    @Test("Every line is a comment or a sample as the format has it")
    func grammar() {
        Counter(label: "a", dimensions: [("k", "v w")], factory: metrics).increment()
        CoreMetrics.Timer(label: "b", factory: metrics).recordSeconds(1)
        Gauge(label: "c", factory: metrics).record(0.1)
        let sample = /[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="[^"]*",?)*\})? [0-9.e+\-InfNa]+/
        let comment = /# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge|histogram)/
        for line in lines() {
            #expect(line.wholeMatch(of: sample) != nil || line.wholeMatch(of: comment) != nil, "\(line)")
        }
    }
}
