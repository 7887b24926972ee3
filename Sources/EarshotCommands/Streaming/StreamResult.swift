import EarshotClient
import FoundationEssentials

/// What became of one device of `earshot stream`; the `sessions` of its JSON.
struct StreamResult: Encodable, Sendable, Equatable {
    /// A piece of transcript as the device saw it.
    struct Segment: Encodable, Sendable, Equatable {
        let id: String
        let text: String
        let start: Double
        let end: Double
        let speaker: String?
    }

    var uid: String
    /// `completed`, `ended_by_server`, `not_authenticated`, `not_ready`, or `failed`.
    var outcome: String
    /// Why it is not `completed`.
    var error: String?
    /// The HTTP status with which the upgrade was refused.
    var httpStatus: Int?
    var sessionID: String?
    var conversationID: String?
    var closeCode: Int?
    var closeReason: String?
    var sentSeconds = 0.0
    var sentMessages = 0
    var text = ""
    var segments: [Segment] = []
    /// From the first word's sound to its first text.
    var firstInterimMs: Double?
    /// For each segment: from the end of its sound to its last text.
    var finalLatenciesMs: [Double] = []
    /// The longest that a message waited for the server to take it.
    var latenessMaxMs = 0.0
    /// With `--native`: how many messages are acknowledged, with which promise, and the reconnects.
    var acknowledgedMessages: Int?
    var durability: String?
    /// All sessions, where there may be several: over reconnects, and when silence closed a conversation.
    var chain: [String]?
    var reconnects: Int?

    /// Whether everything was sent, waited for, and closed by the device.
    var isCompleted: Bool { outcome == "completed" }

    init(uid: String, outcome: String) {
        self.uid = uid
        self.outcome = outcome
    }

    /// A device that had no session.
    init(uid: String, failure: any Error) {
        self.uid = uid
        outcome = "failed"
        guard let refusal = (failure as? DeviceConnectionError)?.refusal else {
            error = "\(failure)"
            return
        }
        httpStatus = refusal.status
        let body = refusal.body.split(whereSeparator: \.isNewline).joined(separator: " ")
        let wait = refusal.retryAfter.map { ", try again in \($0.components.seconds) s" } ?? ""
        error = "the server refused the device with HTTP \(refusal.status)\(wait): \(body.prefix(300))"
    }

    /// A device that had one; latencies are known at a paced speed only.
    init(uid: String, report: DeviceReport, speed: Double) {
        self.uid = uid
        switch report.outcome {
        case .completed: outcome = "completed"
        case .endedByServer: outcome = "ended_by_server"
        case .notAuthenticated: outcome = "not_authenticated"
        case .notReady: outcome = "not_ready"
        }
        if report.outcome != .completed { error = Self.explanation(report) }
        closeCode = report.closeCode.map(Int.init)
        closeReason = report.closeReason.isEmpty ? nil : report.closeReason
        sentSeconds = report.sentDuration.inSeconds
        sentMessages = report.sentMessageCount
        latenessMaxMs = report.latenessMax.inSeconds * 1_000
        text = report.transcript.text
        segments = report.transcript.segments.map {
            Segment(id: $0.id, text: $0.text, start: $0.start, end: $0.end, speaker: $0.speaker)
        }
        let starts = report.events.filter { $0.type == "conversation_session" }.compactMap(SessionStart.init)
        sessionID = starts.first?.recordingSessionID
        conversationID = starts.first?.conversationID
        if starts.count > 1 { chain = starts.compactMap(\.recordingSessionID) }
        // Times count from a conversation's start, of which the device is told by its segments only.
        if speed > 0, starts.count == 1, let began = report.audioStartedAt {
            measure(report.transcript.segments, began: began, speed: speed)
        }
    }

    private static func explanation(_ report: DeviceReport) -> String {
        let close = report.closeCode.map { " with code \($0)" } ?? ""
        let reason = report.closeReason.isEmpty ? "" : " (\(report.closeReason))"
        return switch report.outcome {
        case .completed: "nothing is wrong"
        case .endedByServer: "the server ended the session\(close)\(reason)"
        case .notAuthenticated: "the server does not accept the token\(reason)"
        case .notReady: "the server did not become ready in time"
        }
    }

    /// Times of segments count from the start of the conversation, which is the session's own only if that opened it.
    private mutating func measure(_ segments: [DeviceSegment], began: Duration, speed: Double) {
        func latency(_ arrival: Duration, _ second: Double) -> Double {
            ((arrival - began).inSeconds - second / speed) * 1_000
        }
        // A text that came before its sound shows that the conversation is older than the session.
        guard segments.allSatisfy({ latency($0.firstArrival, $0.start) >= 0 }) else { return }
        firstInterimMs = segments.first.map { latency($0.firstArrival, $0.start) }
        finalLatenciesMs = segments.map { latency($0.lastArrival, $0.end) }
    }

    private struct SessionStart: Decodable {
        let conversationID: String?
        let recordingSessionID: String?

        private enum CodingKeys: String, CodingKey {
            case conversationID = "conversation_id"
            case recordingSessionID = "recording_session_id"
        }

        init?(_ event: DeviceEvent) {
            guard let start = try? JSONDecoder().decode(Self.self, from: Data(event.json.utf8)) else { return nil }
            self = start
        }
    }
}

extension Duration {
    /// As a fraction of seconds.
    var inSeconds: Double { self / .seconds(1) }
}
