/// Endpoints and deliveries as text for people.
enum ConsoleWebhooks {
    /// An endpoint that was added or got new keys.
    static func added(_ endpoint: AddedEndpoint) -> String {
        var lines = ["endpoint    \(endpoint.endpointID)"]
        if let secret = endpoint.secret { lines.append("secret      \(secret)") }
        if let publicKey = endpoint.publicKey { lines.append("public key  \(publicKey)") }
        return (lines + ["The secret is not shown again."]).joined(separator: "\n")
    }

    /// A table of endpoints.
    static func table(_ endpoints: [ShownEndpoint]) -> String {
        guard !endpoints.isEmpty else { return "no endpoints" }
        let header = ["ENDPOINT", "OWNER", "STATE", "DIALECT", "EVENTS", "URL"]
        let rows = endpoints.map { endpoint in
            [
                endpoint.endpointID, "\(endpoint.ownerKind) \(endpoint.owner)",
                state(of: endpoint), endpoint.dialect,
                endpoint.events.joined(separator: ","), endpoint.url,
            ]
        }
        return ConsoleSessions.aligned([header] + rows)
    }

    private static func state(of endpoint: ShownEndpoint) -> String {
        let since = endpoint.disabledAt.map { " since \($0)" } ?? ""
        return endpoint.state + since + (endpoint.reason.map { ": \($0)" } ?? "")
    }

    /// A table of deliveries.
    static func table(_ deliveries: [ShownDelivery]) -> String {
        guard !deliveries.isEmpty else { return "no deliveries" }
        let header = ["DELIVERY", "TYPE", "UID", "SEQUENCE", "STATE", "ATTEMPTS", "LAST", "CREATED"]
        let rows = deliveries.map { delivery in
            [
                delivery.deliveryID, delivery.type, delivery.uid, String(delivery.sequence), delivery.state,
                String(delivery.attempts), delivery.error ?? delivery.status.map(String.init) ?? "–",
                delivery.createdAt,
            ]
        }
        return ConsoleSessions.aligned([header] + rows)
    }

    /// A delivery with everything known of it.
    static func delivery(_ delivery: ShownDelivery) -> String {
        var lines = [
            "delivery      \(delivery.deliveryID)", "event         \(delivery.type) \(delivery.eventID)",
            "endpoint      \(delivery.endpointID)", "user          \(delivery.uid)",
            "conversation  \(delivery.conversationID), number \(delivery.sequence)",
            "state         \(delivery.state)" + (delivery.dueAt.map { ", due \($0)" } ?? ""),
        ]
        lines += (delivery.attemptsLog ?? []).map { "attempt       " + attempt($0) }
        if let body = delivery.body { lines.append("body          \(body)") }
        return lines.joined(separator: "\n")
    }

    /// One attempt on a line.
    static func attempt(_ attempt: ShownAttempt) -> String {
        var text = attempt.deliveryID.map { "delivery \($0)  " } ?? ""
        text += "\(attempt.at)  \(attempt.milliseconds) ms  \(attempt.status.map(String.init) ?? "no answer")"
        if let session = attempt.sessionID, let sequence = attempt.sequence {
            text += "  window \(sequence) of \(session)"
        }
        if let error = attempt.error { text += "  \(error)" }
        if let remote = attempt.remote { text += "  from \(remote)" }
        if let response = attempt.response { text += "  \(response.debugDescription)" }
        return text
    }

    /// How far a replay is.
    static func replay(_ replay: ShownReplay) -> String {
        "replay \(replay.jobID): \(replay.taken) taken up, \(replay.delivered) delivered, \(replay.pending) pending, "
            + "\(replay.dead) dead" + (replay.done ? "; done" : "; going on")
    }
}
