import Supervision

/// The periods of loops that have nothing to wait for but time; a shutdown or a cancellation ends every wait at once.
package enum Ticker {
    /// Waits for a period.
    package static func wait(_ period: Duration) async { await Supervision.sleepUntilShutdown(period) }
}
