import EarshotClient
import NIOPosix

// `earshot stream --native`: uploads by the reference client of `/v1/stream`.
extension StreamRun {
    func runNative(_ device: StreamPlan.Device, index: Int) async -> StreamResult {
        var configuration = UploadConfiguration(url: plan.endpoint(for: stream.codec))
        configuration.token = { [token] in try await token(device.uid) }
        configuration.linger = .seconds(plan.lingerSeconds)
        configuration.lingerMax = .seconds(max(plan.lingerSeconds, plan.lingerMaximumSeconds))
        configuration.observer = { observer(index, $0) }
        do {
            let report = try await DeviceUpload(configuration, source: plan.source(of: stream))
                .run(on: MultiThreadedEventLoopGroup.singleton)
            return StreamResult(uid: device.uid, upload: report)
        } catch {
            return StreamResult(uid: device.uid, failure: error)
        }
    }
}

extension StreamResult {
    /// A device that uploaded.
    init(uid: String, upload report: UploadReport) {
        self.init(uid: uid, outcome: report.outcome == .completed ? "completed" : "failed")
        if report.outcome != .completed { error = Self.explanation(report) }
        closeCode = report.closeCode.map(Int.init)
        closeReason = report.closeReason.isEmpty ? nil : report.closeReason
        sentMessages = Int(report.messageCount)
        sentSeconds = report.duration.inSeconds
        acknowledgedMessages = Int(report.acknowledgedCount)
        durability = report.durability?.rawValue
        chain = report.sessions
        reconnects = report.reconnectCount
        sessionID = report.sessions.last
        conversationID = report.conversation
        text = report.transcript.text
        segments = report.transcript.segments.map {
            Segment(id: $0.id, text: $0.text, start: $0.start, end: $0.end, speaker: $0.speaker)
        }
    }

    private static func explanation(_ report: UploadReport) -> String {
        switch report.outcome {
        case .completed, nil: "nothing is known"
        case .takenOver: "another connection resumed the session"
        case .closedByServer(let code): "the server closed for good with \(code) (\(report.closeReason))"
        case .refused(let status): "the server refused the device with HTTP \(status)"
        case .unreachable: "no session came about for too long"
        case .unacknowledged:
            "only \(report.acknowledgedCount) of \(report.messageCount) messages were acknowledged in time"
        case .brokenProtocol: "the server said something that cannot be"
        }
    }
}
