import EarshotClient

/// What became of one upload of a native device: a chain of sessions, one for each connection.
struct NativeOutcome: Sendable {
    /// What was sent; its messages can be made again.
    var source: MarkedSource
    var user: String
    /// Seconds of the run.
    var began: Double
    var ended: Double
    /// Nil when it failed.
    var report: UploadReport?
    /// Why it has no report.
    var failure: String?

    var device: Int { source.device }
    /// The sessions the device knows of, oldest first.
    var sessions: [String] { report?.sessions ?? [] }
    /// Whether everything was acknowledged, and the device closed it itself.
    var isWhole: Bool { report?.outcome == .completed }
    var messages: UInt64 { report?.messageCount ?? 0 }
    var acknowledged: UInt64 { report?.acknowledgedCount ?? 0 }
    var resent: UInt64 { (report?.transmissionCount ?? 0) - min(messages, report?.transmissionCount ?? 0) }
    var name: String { "upload \(source.upload) of device \(device)" }
}
