import Logging

/// Turns log events into lines of a `LogWriter`.
struct LineLogHandler: LogHandler {
    let label: String
    let role: String
    let node: String
    let format: LogFormat
    let writer: LogWriter
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        // The nearer to the statement, the stronger.
        var merged = metadataProvider?.get() ?? [:]
        merged.merge(metadata) { _, nearer in nearer }
        merged.merge(event.metadata ?? [:]) { _, nearer in nearer }
        if let error = event.error, merged["error"] == nil { merged["error"] = "\(error)" }
        let record = LogRecord(
            time: UTCTimestamp(), level: event.level, label: label, message: "\(event.message)", role: role,
            node: node, metadata: merged)
        writer.write(record.line(format))
    }
}
