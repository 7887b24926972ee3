import FoundationEssentials
import Glibc

/// What the kernel knows about this process, under the names every Prometheus client uses.
struct ProcessMetrics {
    var cpuSeconds: Double?
    var residentBytes: Double?
    var virtualBytes: Double?
    var threads: Double?
    var startTime: Double?
    var openFiles: Double?
    var openFilesMaximum: Double?

    /// Reads `/proc/self`; what cannot be read stays nil and is not rendered.
    static func read() -> ProcessMetrics {
        var metrics = ProcessMetrics()
        if let stat = contents("/proc/self/stat"), let fields = fields(ofStat: stat) {
            let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
            metrics.cpuSeconds = (fields[11] + fields[12]) / ticks
            metrics.threads = fields[17]
            metrics.virtualBytes = fields[20]
            metrics.residentBytes = fields[21] * Double(sysconf(Int32(_SC_PAGESIZE)))
            if let boot = bootTime() { metrics.startTime = boot + fields[19] / ticks }
        }
        if let entries = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            // One of them is the listing itself.
            metrics.openFiles = Double(max(0, entries.count - 1))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            metrics.openFilesMaximum = Double(limit.rlim_cur)
        }
        return metrics
    }

    var rendered: String {
        [
            line("process_cpu_seconds_total", "counter", cpuSeconds),
            line("process_max_fds", "gauge", openFilesMaximum),
            line("process_open_fds", "gauge", openFiles),
            line("process_resident_memory_bytes", "gauge", residentBytes),
            line("process_start_time_seconds", "gauge", startTime),
            line("process_threads", "gauge", threads),
            line("process_virtual_memory_bytes", "gauge", virtualBytes),
        ].joined()
    }

    /// The numbers after the command's name, which stands in parentheses and may contain anything (proc(5)).
    private static func fields(ofStat text: String) -> [Double]? {
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
        return fields.count > 21 ? fields : nil
    }

    private static func bootTime() -> Double? {
        contents("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst("btime ".count)) }
    }

    private static func contents(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    private func line(_ name: String, _ kind: String, _ value: Double?) -> String {
        guard let value else { return "" }
        return "# TYPE \(name) \(kind)\n" + MetricFamily.line(name, "", MetricFamily.number(value))
    }
}
