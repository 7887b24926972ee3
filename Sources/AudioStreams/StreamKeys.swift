package import EarshotModel

/// Every Redis key of the product, in one place.
///
/// All keys of a partition carry its hash tag `{pNNN}`, fleet-wide ones `{fleet}`, so that each function stays in one
/// slot of a Redis Cluster (protocol.md H7).
package struct StreamKeys: Sendable {
    package let prefix: String

    /// Keys under a prefix, which lets fleets share a server.
    package init(prefix: String = "earshot") { self.prefix = prefix }

    /// Hash: partitions, hash name, version, incarnation.
    package var fleetMeta: String { "\(prefix):{fleet}:meta" }
    /// Hash: incarnation → beat, of one kind of process.
    package func members(_ kind: String) -> String { "\(prefix):{fleet}:members:\(kind)" }
    /// String: written in front of `WAITAOF`.
    package var diskMark: String { "\(prefix):{fleet}:disk" }
    /// Stream: the audio of the partition's users.
    package func audio(_ partition: Partition) -> String { key(partition, "audio") }
    /// Stream: what webhooks and the record care about.
    package func events(_ partition: Partition) -> String { key(partition, "events") }
    /// Stream of a kind.
    package func stream(_ kind: StreamKind, _ partition: Partition) -> String { key(partition, kind.rawValue) }
    /// Hash: a group's lease.
    package func lease(_ group: WorkerGroup, _ partition: Partition) -> String { key(partition, "lease:\(group)") }
    /// Hash: the registry's entry of a session, with every group's progress.
    package func session(_ id: SessionID, _ partition: Partition) -> String { key(partition, "session:\(id)") }
    /// The session whose registry entry has a name; `nil` for other names, and those of other fleets.
    func session(named name: String) -> SessionID? {
        guard name.hasPrefix("\(prefix):{p"), let last = name.lastIndex(of: ":"), name[..<last].hasSuffix("}:session")
        else { return nil }
        return SessionID(String(name[name.index(after: last)...]))
    }
    /// Set: sessions with an end that are not completed.
    package func ended(_ partition: Partition) -> String { key(partition, "ended") }
    /// List: the last final results of a session; the functions append the id.
    package func finalsPrefix(_ partition: Partition) -> String { key(partition, "finals:") }
    /// List: the last final results of a session.
    package func finals(_ id: SessionID, _ partition: Partition) -> String { key(partition, "finals:\(id)") }
    /// Hash: session → gateway incarnation, of the sessions without an end.
    package func live(_ partition: Partition) -> String { key(partition, "live") }
    /// Hash: a user's open conversation and live sessions.
    package func user(_ id: UserID, _ partition: Partition) -> String { key(partition, "user:\(id)") }
    /// Hash: user → settings document, as the coordinator projects it.
    package func settings(_ partition: Partition) -> String { key(partition, "settings") }
    /// Hash: user → flags of the groups that want their audio.
    package func wanted(_ partition: Partition) -> String { key(partition, "wanted") }
    /// Hash: user and conversation → the session that joined last, of the conversations that are not completed.
    package func conversations(_ partition: Partition) -> String { key(partition, "conversations") }
    /// Hash: a conversation's sessions and how far it is; the functions append user and id, ids being the users' own.
    package func conversationPrefix(_ partition: Partition) -> String { key(partition, "conversation:") }
    /// Hash: a conversation's sessions and how far it is.
    package func conversation(_ id: String, of user: UserID, _ partition: Partition) -> String {
        "\(conversationPrefix(partition))\(user)/\(id)"
    }
    /// Hash: a session; the functions append the id.
    package func sessionPrefix(_ partition: Partition) -> String { key(partition, "session:") }
    /// Sorted set: names of the last requests for samples, by when they came.
    package func sampleRequests(_ partition: Partition) -> String { key(partition, "sample-requests") }
    /// Sorted set: a user's recent admissions.
    package func admissions(_ id: UserID, _ partition: Partition) -> String { key(partition, "admissions:\(id)") }
    /// Hash: the partition's incarnation, enabled groups and epoch counter.
    package func meta(_ partition: Partition) -> String { key(partition, "meta") }
    /// Stream: entries a group gave up on.
    package func dead(_ group: WorkerGroup, _ partition: Partition) -> String { key(partition, "dead:\(group)") }
    /// Stream: entries of a session that a group parked.
    package func parked(_ id: SessionID, _ group: WorkerGroup, _ partition: Partition) -> String {
        key(partition, "parked:\(group):\(id)")
    }
    /// Hash: session → what a group parked of it, and the sums.
    package func parked(_ group: WorkerGroup, _ partition: Partition) -> String { key(partition, "parked:\(group)") }
    /// Channel: live results for the sessions of one gateway; the function appends the incarnation.
    package var resultsChannelPrefix: String { "\(prefix):results:" }
    /// Channel: users whose settings have changed.
    package var settingsChannel: String { "\(prefix):settings" }
    /// Channel of one gateway.
    package func results(_ gateway: Incarnation) -> String { resultsChannelPrefix + gateway.description }

    private func key(_ partition: Partition, _ name: String) -> String { "\(prefix):{\(partition)}:\(name)" }
}
