import Logging
import Synchronization

/// Keeps the messages that are logged as errors.
final class AlertLog: Sendable {
    private let state = Mutex<[String]>([])

    var errors: [String] { state.withLock(\.self) }

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: AlertLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.error

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { log.state.withLock { $0.append("\(event.message)") } }
    }
}
