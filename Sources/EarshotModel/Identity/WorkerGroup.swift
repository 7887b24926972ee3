/// A kind of consumer: the name of a Redis consumer group and of its leases and members.
package struct WorkerGroup: Hashable, Sendable, CustomStringConvertible {
    package let name: String

    /// Names a group; the name becomes part of keys.
    package init(_ name: String) { self.name = name }

    /// Turns audio into text.
    package static let transcript = WorkerGroup("transcript")
    /// Posts live PCM to subscribers.
    package static let audioBytes = WorkerGroup("audio-bytes")
    /// Stores recordings.
    package static let privateCloud = WorkerGroup("private-cloud")
    /// Cuts voice samples out of stored audio.
    package static let speakerSample = WorkerGroup("speaker-sample")
    /// Turns events into signed requests.
    package static let webhook = WorkerGroup("webhook")
    /// Writes events into Postgres.
    package static let record = WorkerGroup("record")
    /// Reconciles lifetimes; leases only, no stream.
    package static let coordinator = WorkerGroup("coordinator")

    /// Gateways: members with a heartbeat, no stream.
    package static let gateway = WorkerGroup("gateway")

    /// The group's name.
    package var description: String { name }
}
