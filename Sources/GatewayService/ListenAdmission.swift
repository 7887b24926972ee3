import AccessTokens
import AudioStreams
import EarshotModel
import NIOCore
import NIOHTTP1

/// Decides about an upgrade before the 101: path, query, token, origin, capacity, rate.
struct ListenAdmission: Sendable {
    let configuration: GatewayConfiguration
    let census: SessionCensus

    /// Reads the request line; everything that needs no waiting.
    private func target(
        _ head: HTTPRequestHead
    ) throws(UpgradeRefusal) -> (path: ListenPath, items: [(name: String, value: String)]) {
        try UpgradeForm.check(head)
        guard let target = QueryString.parse(head.uri) else {
            throw UpgradeRefusal(
                status: .badRequest, reason: "malformed", message: "the request target cannot be decoded")
        }
        guard let path = ListenPath(rawValue: target.path) else { throw UpgradeRefusal.notFound() }
        return (path, target.items)
    }

    private func parameters(
        _ items: [(name: String, value: String)], _ path: ListenPath
    ) throws(UpgradeRefusal) -> Result<ListenParameters, ListenRefusal> {
        do throws(ListenRefusal) {
            return checkLanguage(
                try ListenParameters(query: items, isWeb: path == .web, limits: configuration.limits))
        } catch {
            if case .malformed(let message) = error {
                throw UpgradeRefusal(status: .badRequest, reason: "malformed", message: message)
            }
            return .failure(error)
        }
    }

    /// A language no recogniser serves is closed after the upgrade.
    private func checkLanguage(_ parameters: ListenParameters) -> Result<ListenParameters, ListenRefusal> {
        if let refusal = refusal(ofLanguage: parameters.session.language) { return .failure(refusal) }
        return .success(parameters)
    }

    /// Why a language is not served; `nil` for one that is.
    func refusal(ofLanguage language: String) -> ListenRefusal? {
        let primary = language.prefix { $0 != "-" }.lowercased()
        guard configuration.languages.contains("*") || configuration.languages.contains(primary) else {
            let allowed = configuration.languages.sorted().joined(separator: " ")
            return .close(.policy, CloseCode.trimmed("unsupported language; allowed: \(allowed)"))
        }
        return nil
    }

    /// The bearer token of the header; a real token never comes in a URL, a development token may.
    func token(
        _ head: HTTPRequestHead, _ items: [(name: String, value: String)]
    ) throws(UpgradeRefusal) -> String {
        if let token = try bearer(head) { return token }
        guard let token = items.last(where: { $0.name == "token" })?.value else {
            throw unauthorized("a token is missing; send Authorization: Bearer TOKEN")
        }
        guard token.hasPrefix("dev:") else {
            throw unauthorized("tokens do not belong in URLs; send Authorization: Bearer TOKEN")
        }
        return token
    }

    /// The token of the `Authorization` header, if there is one.
    func bearer(_ head: HTTPRequestHead) throws(UpgradeRefusal) -> String? {
        let headers = head.headers["authorization"]
        guard let header = headers.first else { return nil }
        let parts = header.split(separator: " ", omittingEmptySubsequences: false)
        guard headers.count == 1, parts.count == 2, parts[0].lowercased() == "bearer", !parts[1].isEmpty else {
            throw unauthorized("the Authorization header must be: Bearer TOKEN")
        }
        return String(parts[1])
    }

    func unauthorized(_ message: String) -> UpgradeRefusal {
        UpgradeRefusal(status: .unauthorized, reason: "token", message: message)
    }

    func checkOrigin(_ head: HTTPRequestHead) throws(UpgradeRefusal) {
        guard let origin = head.headers["origin"].first, !configuration.allowedOrigins.contains("*") else { return }
        guard configuration.allowedOrigins.contains(origin) else {
            throw UpgradeRefusal(status: .forbidden, reason: "origin", message: "this origin is not allowed")
        }
    }

    func checkCapacity(_ loop: GatewayLoop) throws(UpgradeRefusal) {
        if loop.isDraining { throw .unavailable("draining", "the gateway is draining; another takes new sessions") }
        if census.total >= configuration.limits.sessionsMaximum {
            throw .unavailable("capacity", "the gateway is at its session limit")
        }
        if loop.delay > configuration.limits.loopDelayMaximum {
            throw .unavailable("loop_delay", "the gateway is overloaded")
        }
        if loop.appender.pressure == .disconnected {
            throw .unavailable("redis", "the gateway cannot reach its store")
        }
        if loop.appender.redisMemoryShare >= configuration.limits.redisMemoryAdmission {
            throw .unavailable("redis_memory", "the store is short of memory", retryAfter: 30)
        }
    }

    /// Verifies a token.
    func user(of token: String) async throws(UpgradeRefusal) -> UserID {
        let subject: String
        do throws(AccessTokenError) {
            subject = try await configuration.tokens.verify(token)
        } catch {
            throw unauthorized(error.message)
        }
        guard let user = UserID(subject) else { throw unauthorized("the token's subject must be \(UserID.rule)") }
        return user
    }

    /// Runs every check; the future succeeds when the upgrade may go on, and fails with an `UpgradeRefusal`.
    func decide(_ head: HTTPRequestHead, on loop: GatewayLoop) -> EventLoopFuture<NIOLoopBound<AdmittedConnection>> {
        let eventLoop = loop.eventLoop
        do throws(UpgradeRefusal) {
            let (path, items) = try target(head)
            if path == .backend { return decideBackend(head, items, on: loop) }
            if path == .stream { return decideNative(head, items, on: loop) }
            let parameters = try parameters(items, path)
            let admitted = { @Sendable (user: UserID?) in
                NIOLoopBound(
                    AdmittedConnection.listen(AdmittedListen(path: path, user: user, parameters: parameters)),
                    eventLoop: eventLoop)
            }
            // A browser sends its token as the first message; in the URL only a development token is taken.
            if path == .web, !items.contains(where: { $0.name == "token" }) {
                try checkOrigin(head)
                try checkCapacity(loop)
                return eventLoop.makeSucceededFuture(admitted(nil))
            }
            let token = try token(head, items)
            let bound = NIOLoopBound(loop, eventLoop: eventLoop)
            return eventLoop.makeFutureWithTask { try await self.user(of: token) }
                .flatMapThrowing { user in
                    try checkOrigin(head)
                    try checkCapacity(bound.value)
                    return user
                }
                .flatMap { user in bound.value.admit(user).map { admitted(user) } }
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }
}
