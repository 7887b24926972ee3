import NIOCore
import NIOHTTP1

/// What one connection's upgrade came to, shared by the upgrader and the handler that answers refusals.
final class UpgradeHandshake {
    /// What the session begins with, once the upgrade was admitted.
    var admitted: AdmittedListen?
    var refusal: UpgradeRefusal?
    private var timeout: Scheduled<Void>?

    /// Closes the channel when no upgrade has come about in time.
    func arm(_ channel: any Channel, limit: TimeAmount) {
        timeout = channel.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    func disarm() {
        timeout?.cancel()
        timeout = nil
    }
}
