import EarshotModel

/// What a number of requests, with events or with live audio, say about their endpoints.
struct EndpointNews {
    /// Endpoints by id: those with a success, and those with a failure.
    private(set) var succeeded: Set<String> = []
    private(set) var failed: Set<String> = []
    /// Those whose receivers are gone for good.
    private(set) var gone: Set<String> = []
    /// How long receivers asked to be left alone, in µs.
    private(set) var pauses: [String: Int64] = [:]

    init(_ attempts: [AttemptRecord]) {
        for attempt in attempts {
            note(
                attempt.endpoint.description, isDelivered: attempt.result == .delivered,
                pause: attempt.pause?.microseconds)
            if attempt.result == .dead(disables: true) { gone.insert(attempt.endpoint.description) }
        }
    }

    /// Only of known endpoints.
    init(_ attempts: [AudioAttempt], known: Set<String>) {
        for attempt in attempts where known.contains(attempt.endpoint) {
            note(attempt.endpoint, isDelivered: attempt.isDelivered, pause: attempt.pause)
        }
    }

    private mutating func note(_ endpoint: String, isDelivered: Bool, pause: Int64?) {
        if isDelivered { succeeded.insert(endpoint) } else { failed.insert(endpoint) }
        if let pause { pauses[endpoint] = max(pause, pauses[endpoint] ?? 0) }
    }
}
