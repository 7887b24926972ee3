import EarshotModel
import NIOCore
import NIOHTTP1

// Who may come in by the native endpoint: whoever may by `/v4/listen`, and speaks the subprotocol.
extension ListenAdmission {
    /// Runs every check; the future succeeds when the upgrade may go on, and fails with an `UpgradeRefusal`.
    func decideNative(
        _ head: HTTPRequestHead, _ items: [(name: String, value: String)], on loop: GatewayLoop
    ) -> EventLoopFuture<NIOLoopBound<AdmittedConnection>> {
        let eventLoop = loop.eventLoop
        do throws(UpgradeRefusal) {
            try checkSubprotocol(head)
            let parameters = try readNative(items)
            let token = try token(head, items)
            let bound = NIOLoopBound(loop, eventLoop: eventLoop)
            return eventLoop.makeFutureWithTask { try await self.user(of: token) }
                .flatMapThrowing { user in
                    try checkOrigin(head)
                    try checkCapacity(bound.value)
                    return user
                }
                .flatMap { user in
                    bound.value.admit(user).map {
                        NIOLoopBound(.native(AdmittedNative(user: user, parameters: parameters)), eventLoop: eventLoop)
                    }
                }
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    private func checkSubprotocol(_ head: HTTPRequestHead) throws(UpgradeRefusal) {
        let offered = head.headers[canonicalForm: "sec-websocket-protocol"]
        guard offered.contains(where: { $0 == NativeParameters.subprotocol }) else {
            throw UpgradeRefusal(
                status: .badRequest, reason: "subprotocol",
                message: "this path speaks \(NativeParameters.subprotocol); "
                    + "send Sec-WebSocket-Protocol: \(NativeParameters.subprotocol)")
        }
    }

    private func readNative(
        _ items: [(name: String, value: String)]
    ) throws(UpgradeRefusal) -> Result<NativeParameters, ListenRefusal> {
        do throws(ListenRefusal) {
            let parameters = try NativeParameters(query: items, limits: configuration.limits)
            return refusal(ofLanguage: parameters.session.language).map { .failure($0) } ?? .success(parameters)
        } catch {
            if case .malformed(let message) = error {
                throw UpgradeRefusal(status: .badRequest, reason: "malformed", message: message)
            }
            return .failure(error)
        }
    }
}
