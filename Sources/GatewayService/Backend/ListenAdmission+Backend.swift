import EarshotModel
import NIOCore
import NIOHTTP1

// Who may come in by the back-end door; decided before the 101 but for what the contract wants closed after it.
extension ListenAdmission {
    /// Runs every check; the future succeeds when the upgrade may go on, and fails with an `UpgradeRefusal`.
    func decideBackend(
        _ head: HTTPRequestHead, _ items: [(name: String, value: String)], on loop: GatewayLoop
    ) -> EventLoopFuture<NIOLoopBound<AdmittedConnection>> {
        let eventLoop = loop.eventLoop
        do throws(UpgradeRefusal) {
            try authenticateBackend(head)
            let admitted = try readBackend(items)
            let bound = NIOLoopBound(AdmittedConnection.backend(admitted), eventLoop: eventLoop)
            // A sender that meets a draining gateway is let in and closed with 1001, so that its breaker for failed
            // handshakes does not count it (omi.md 2.1); what will be closed for its query needs no room either.
            guard !loop.isDraining, case .success = admitted.parameters else {
                return eventLoop.makeSucceededFuture(bound)
            }
            try checkCapacity(loop)
            return loop.admit(admitted.user).map { bound }
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    private func authenticateBackend(_ head: HTTPRequestHead) throws(UpgradeRefusal) {
        let door = configuration.backend
        guard door.isOpen else {
            throw UpgradeRefusal(
                status: .forbidden, reason: "backend_closed",
                message: "this door is closed: no service key is configured, and the network is not declared internal")
        }
        // A web page must not get in by a browser that stands in the internal network.
        try checkOrigin(head)
        guard !door.isInternalNetwork else { return }
        guard let token = try bearer(head) else {
            throw unauthorized("a service key is missing; send Authorization: Bearer SERVICE_KEY")
        }
        guard door.accepts(token) else { throw unauthorized("the service key is not known") }
    }

    private func readBackend(_ items: [(name: String, value: String)]) throws(UpgradeRefusal) -> AdmittedBackend {
        do throws(ListenRefusal) {
            let user = try BackendParameters.user(of: items)
            do throws(ListenRefusal) {
                return AdmittedBackend(user: user, parameters: .success(try BackendParameters(query: items)))
            } catch {
                guard case .close = error else { throw error }
                return AdmittedBackend(user: user, parameters: .failure(error))
            }
        } catch {
            guard case .malformed(let message) = error else { preconditionFailure("only malformed values come here") }
            throw UpgradeRefusal(status: .badRequest, reason: "malformed", message: message)
        }
    }
}
