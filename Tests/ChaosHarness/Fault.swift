import Foundation

/// One fault: what is done, to whom, for how long.
package struct Fault: Equatable, Sendable, Codable {
    /// What is done.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        /// SIGKILL.
        case kill
        /// SIGSTOP, and SIGCONT after the duration.
        case stop
        /// SIGTERM.
        case restart
        /// Open connections are reset.
        case cut
        /// Latency, jitter and little bandwidth.
        case slow
        /// Nothing passes; after the duration it does again, as if nothing had been.
        case partition
        /// Connections end, new ones are refused.
        case down
        /// Open connections never pass a byte again, new ones are good.
        case strand
        /// Data in small pieces.
        case slice
        /// Connections end behind so many bytes.
        case limit
        /// Ends of streams are passed on late.
        case slowClose = "slow_close"
    }

    /// Seconds from the first fault's clock.
    package var at: Double
    package var kind: Kind
    /// `role-index` of a process, `redis`, `postgres`, or `device-index`.
    package var target: String
    /// Which link a network fault is about: `redis`, `postgres` or `gateway`; nil for a signal.
    package var link: String?
    /// Seconds.
    package var duration: Double

    /// Makes a fault.
    package init(at: Double, kind: Kind, target: String, link: String?, duration: Double) {
        self.at = at
        self.kind = kind
        self.target = target
        self.link = link
        self.duration = duration
    }

    /// Whether utterances may have been cut where the device's speech was not: audio may have stood still on its way to
    /// the workers, or a worker that was told to end cut what it had open (protocol.md M2).
    package var cutsSpeech: Bool {
        if target.hasPrefix("device") { return true }
        if target == "redis" { return true }
        if target.hasPrefix("transcript") { return kind == .restart }
        return target.hasPrefix("gateway") && kind != .restart
    }

    /// One line for the log.
    package var line: String {
        let via = link.map { " its link to \($0)" } ?? ""
        let time = duration > 0 ? " for \(String(format: "%.1f", duration)) s" : ""
        return "\(String(format: "%7.2f", at)) s \(kind.rawValue) \(target)\(via)\(time)"
    }
}
