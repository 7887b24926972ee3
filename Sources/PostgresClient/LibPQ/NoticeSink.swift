import CLibPQ
import Logging

/// Takes the server's notices, which libpq would print to the standard error.
final class NoticeSink: Sendable {
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    private func take(_ text: String) {
        logger.debug("The server sent a notice", metadata: ["postgres.notice": "\(text)"])
    }

    /// Has `connection` report to this sink.
    ///
    /// The caller keeps the sink alive for as long as the connection.
    func attach(to connection: OpaquePointer) {
        // Unretained: notices are delivered inside calls on the connection, whose owner holds the sink.
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        _ = unsafe PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context = unsafe context, let text = unsafe clibpq_message(result) else { return }
                unsafe Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue().take(String(cString: text))
            }, context)
    }
}
