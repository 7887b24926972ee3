package import Logging
import Synchronization

/// Keeps what is logged: message and metadata, a line each.
package final class RecordedLog: Sendable {
    private let level: Logger.Level
    private let state = Mutex<[String]>([])

    /// An empty log of everything from a level on.
    package init(from level: Logger.Level = .trace) { self.level = level }

    /// The lines so far.
    package var lines: [String] { state.withLock(\.self) }

    /// A logger that writes here.
    package var logger: Logger { Logger(label: "test") { _ in Handler(log: self, logLevel: self.level) } }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { log.state.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") } }
    }
}
