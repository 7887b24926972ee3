import CoreMetrics
import HTTPTransport
import JWTKit
package import Logging

/// A key set fetched from a URL, so that an identity provider rotates its keys without anybody's doing.
///
/// `run()` fetches it at once and again whenever it is no longer fresh; a token with an unknown key id causes a fetch
/// too, at most one in 30 s, for which all such tokens wait together. While the URL fails the old keys stay in force.
package actor RemoteKeySet {
    /// Largest document: a key is under 1 KB.
    package static let bytesMaximum = 256 * 1024
    /// Tokens that wait for one fetch; more are refused at once, as if their key were unknown.
    static let waitersMaximum = 1_000
    /// Time for the whole fetch, which upgrades with an unknown key id wait for.
    static let fetchTimeout: Duration = .seconds(5)

    private let url: String
    private let exchange: any HTTPExchanging
    /// The transport that `run()` runs, when it is our own.
    private let transport: HTTPTransport?
    private let logger: Logger
    private let outcomes: (success: Counter, failure: Counter)
    private let failing = Gauge(label: "auth.keyset.failing")
    private var schedule: KeySetSchedule
    private var keys: KeySet?
    private var isFetching = false
    private var isOver = false
    private var lastFailure: String?
    private var waiters: [CheckedContinuation<Void, Never>] = []
    /// Asks `run()` for a fetch; one that was asked for already is enough.
    private let (demands, demand) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// A key set fetched over a transport of its own.
    ///
    /// - Parameters:
    ///   - url: An `https` URL that the operator chose, at any address.
    ///   - allowsPlainHTTP: Whether `http` is allowed: whoever sits on the way could then make tokens.
    ///   - logger: Hears of changes and failures.
    /// - Throws: `AccessTokenSetupError` when the URL is no good.
    package init(url: String, allowsPlainHTTP: Bool = false, logger: Logger) throws(AccessTokenSetupError) {
        let policy = DestinationPolicy.anyAddress(allowsPlainHTTP: allowsPlainHTTP)
        do throws(HTTPTransportError) {
            try policy.check(url: url)
        } catch {
            throw AccessTokenSetupError("the URL of the key set is no good: \(error.message)")
        }
        let transport = HTTPTransport(HTTPTransportConfiguration(destinations: policy), logger: logger)
        self.init(url: url, exchange: transport, transport: transport, schedule: KeySetSchedule(), logger: logger)
    }

    init(
        url: String, exchange: any HTTPExchanging, transport: HTTPTransport? = nil,
        schedule: KeySetSchedule = KeySetSchedule(), logger: Logger
    ) {
        self.url = url
        self.exchange = exchange
        self.transport = transport
        self.schedule = schedule
        self.logger = logger
        outcomes = (
            Counter(label: "auth.keyset.fetches", dimensions: [("outcome", "success")]),
            Counter(label: "auth.keyset.fetches", dimensions: [("outcome", "failure")])
        )
    }

    /// Keeps the set fresh until the task is cancelled; run it once.
    package func run() async {
        await withDiscardingTaskGroup { tasks in
            if let transport { tasks.addTask { await transport.run() } }
            tasks.addTask { await self.fetchWhenDue() }
            tasks.addTask { await self.fetchOnDemand() }
        }
        isOver = true
        releaseWaiters()
    }

    /// Finds a key; for an unknown one it may wait for a fetch.
    func key(_ algorithm: TokenAlgorithm, _ keyID: String?) async -> (any JWTAlgorithm)? {
        if let key = keys?.key(algorithm, keyID) { return key }
        guard !isOver, waiters.count < Self.waitersMaximum else { return nil }
        guard isFetching || schedule.mayFetchForUnknownKey(now: .now) else { return nil }
        await withCheckedContinuation { waiter in
            waiters.append(waiter)
            demand.yield()
        }
        return keys?.key(algorithm, keyID)
    }

    // MARK: Fetching

    private func fetchWhenDue() async {
        while !Task.isCancelled {
            if let due = schedule.due, due > .now {
                // tidy:allow Task.sleep the deadline at which the keys are no longer fresh, ended by cancellation
                try? await Task.sleep(until: due)
            } else {
                await fetch(forUnknownKey: false)
            }
        }
    }

    private func fetchOnDemand() async {
        for await _ in demands {
            // The fetch that is under way answers this demand, or one has just ended.
            guard !waiters.isEmpty else { continue }
            if schedule.mayFetchForUnknownKey(now: .now) {
                await fetch(forUnknownKey: true)
            } else if !isFetching {
                releaseWaiters()
            }
        }
    }

    private func fetch(forUnknownKey isDemanded: Bool) async {
        guard !isFetching else { return }
        isFetching = true
        schedule.began(forUnknownKey: isDemanded, now: .now)
        do throws(AccessTokenSetupError) {
            let (set, cacheControl) = try await download()
            schedule.succeeded(cacheControl: cacheControl, now: .now)
            took(set)
        } catch {
            schedule.failed(now: .now)
            if !Task.isCancelled { failed(error) }
        }
        isFetching = false
        releaseWaiters()
    }

    private func download() async throws(AccessTokenSetupError) -> (KeySet, cacheControl: String?) {
        var request = HTTPRequest(.get, url, headers: [HTTPHeader(name: "Accept", value: "application/json")])
        request.totalTimeout = Self.fetchTimeout
        request.responseBytesMaximum = Self.bytesMaximum
        request.overflow = .fail
        let response: HTTPResponse
        do throws(HTTPTransportError) {
            response = try await exchange.send(request)
        } catch {
            throw AccessTokenSetupError("it cannot be fetched: \(error)")
        }
        guard response.status == 200 else {
            throw AccessTokenSetupError("the server answered \(response.status); 200 is needed")
        }
        return (try await KeySet(json: response.body), response.header("cache-control"))
    }

    private func took(_ set: KeySet) {
        outcomes.success.increment()
        failing.record(0)
        if keys == nil || lastFailure != nil {
            logger.notice("key set fetched", metadata: ["keys": "\(set.count)", "ignored": "\(set.ignored)"])
        }
        lastFailure = nil
        keys = set
    }

    private func failed(_ error: AccessTokenSetupError) {
        outcomes.failure.increment()
        failing.record(1)
        // Once a reason, not once a retry.
        guard lastFailure != error.description else { return }
        lastFailure = error.description
        let consequence = keys == nil ? "RS256 and ES256 tokens are refused" : "the old keys stay in force"
        logger.warning("key set not fetched, \(consequence)", metadata: ["error": "\(error)"])
    }

    private func releaseWaiters() {
        let released = waiters
        waiters = []
        for waiter in released { waiter.resume() }
    }
}
