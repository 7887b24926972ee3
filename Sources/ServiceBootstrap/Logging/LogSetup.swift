import Glibc
import Logging

/// The one place that decides where log records go: one line each, on standard error.
package enum LogSetup {
    private static let standardError = LogWriter(descriptor: STDERR_FILENO)

    /// Sends the logs of the whole process to standard error.
    ///
    /// Call it once, first thing in `main`: swift-log traps at a second call.
    ///
    /// - Parameter configuration: Gives level and format, and the role and node that stand on every line.
    package static func bootstrap(_ configuration: ProcessConfiguration) {
        LoggingSystem.bootstrap(
            { label, provider in
                handler(label: label, configuration: configuration, writer: standardError, provider: provider)
            },
            metadataProvider: nil)
    }

    /// Waits a moment for a slow reader; call it before the process ends.
    package static func flush() {
        standardError.flush()
    }

    /// Lines nobody took, since the start of the process.
    package static var linesDropped: Int { standardError.dropped }

    static func handler(
        label: String, configuration: ProcessConfiguration, writer: LogWriter,
        provider: Logger.MetadataProvider? = nil
    ) -> LineLogHandler {
        LineLogHandler(
            label: label, role: configuration.role, node: configuration.node, format: configuration.logFormat,
            writer: writer, logLevel: configuration.logLevel, metadataProvider: provider)
    }
}
