import NIOCore
import NIOHTTP1

/// What one connection's upgrade came to, shared by the upgrader and the handler that answers refusals.
final class UpgradeHandshake {
    /// What the session begins with, once the upgrade was admitted.
    var admitted: AdmittedConnection?
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

    /// Puts the admitted connection's handler into the pipeline.
    func finish(_ channel: any Channel, loop: GatewayLoop, admission: ListenAdmission) throws {
        let handlers = channel.pipeline.syncOperations
        disarm()
        switch admitted {
        case .listen(let admitted):
            try handlers.addHandler(ListenSession(loop: loop, admitted: admitted, admission: admission))
        case .native(let admitted): try handlers.addHandler(NativeSession(loop: loop, admitted: admitted))
        case .backend(let admitted): try handlers.addHandler(BackendSession(loop: loop, admitted: admitted))
        case nil: throw ChannelError.inappropriateOperationForState
        }
    }
}
