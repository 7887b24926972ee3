import EarshotModel
import NIOCore

// What coordinators do to streams and sessions.
extension InMemoryState {
    mutating func trim(
        _ kind: StreamKind, _ partition: Partition, _ token: FencingToken, _ group: WorkerGroup
    ) -> Int64 {
        guard partitions[partition]?.leases[group]?.token == token else { return -1 }
        let content = stream(kind, partition)
        let enabled = partitions[partition]?.enabled[kind] ?? []
        let positions = enabled.compactMap { content.groups[$0]?.position }
        guard !positions.isEmpty, positions.count == enabled.count, let lowest = positions.min() else { return 0 }
        let kept = content.entries.filter { $0.position >= lowest }
        partitions[partition]?.streams[kind]?.entries = kept
        return Int64(content.entries.count - kept.count)
    }

    /// Completes an ended session once every enabled group has passed its marker (protocol.md M16).
    mutating func complete(_ id: SessionID, in partition: Partition) -> Bool {
        guard let session = partitions[partition]?.sessions[id], !session.base.isCompleted else { return false }
        let enabled = partitions[partition]?.enabled[.audio] ?? []
        guard enabled.allSatisfy({ session.progress[$0]?.isDone == true }) else { return false }
        partitions[partition]?.sessions[id]?.base.isCompleted = true
        return true
    }

    mutating func completeEnded(_ partition: Partition, _ token: FencingToken) -> Int {
        guard partitions[partition]?.leases[.coordinator]?.token == token else { return -1 }
        let ended = (partitions[partition]?.sessions ?? [:]).filter { $0.value.base.end != nil }
        return ended.keys.count { complete($0, in: partition) }
    }

    mutating func skipUnwanted(
        _ group: WorkerGroup, _ partition: Partition, lapsed: Lease.Sighting?, token: FencingToken, count: Int
    ) -> UnwantedSkip {
        guard partitions[partition]?.leases[.coordinator]?.token == token else { return .fenced }
        if let lease = partitions[partition]?.leases[group], !lease.isReleased,
            lease.token != lapsed?.token || lease.beat != lapsed?.beat
        {
            return .held
        }
        guard let flag = WorkerFlags(group), var state = stream(.audio, partition).groups[group] else {
            return .passed(0)
        }
        var passed = 0
        for entry in entries(.audio, partition, after: state.position, count: count) {
            guard let audio = try? AudioEntry(decoding: entry.payload), isUnwanted(audio, flag, partition)
            else { break }
            if case .end = audio.content, partitions[partition]?.sessions[audio.session] != nil {
                partitions[partition]?.sessions[audio.session]?.progress[group, default: LaneProgress()].isDone = true
                _ = complete(audio.session, in: partition)
            }
            passed += 1
            state.position = entry.position
        }
        state.entriesRead += Int64(passed)
        partitions[partition]?.streams[.audio]?.groups[group] = state
        return .passed(passed)
    }

    private func isUnwanted(_ audio: AudioEntry, _ flag: WorkerFlags, _ partition: Partition) -> Bool {
        guard case .end = audio.content else { return audio.flags.isDisjoint(with: flag) }
        return partitions[partition]?.sessions[audio.session]?.base.parameters.flags.isDisjoint(with: flag) ?? true
    }

    func lag(of group: WorkerGroup, _ kind: StreamKind, in partition: Partition) -> GroupLag {
        let content = stream(kind, partition)
        let state = content.groups[group]
        var lag = GroupLag(
            partition: partition,
            entries: state.map { content.added - $0.entriesRead } ?? (content.entries.isEmpty ? 0 : nil),
            length: Int64(content.entries.count))
        if let first = entries(kind, partition, after: state?.position ?? .start, count: 1).first,
            let last = content.entries.last
        {
            let till = kind == .audio ? Self.time(of: last, kind) : WallClock.microseconds
            lag.span = .microseconds(max(0, till - Self.time(of: first, kind)))
        }
        if kind == .audio {
            let unread = entries(kind, partition, after: state?.position ?? .start, count: .max)
            lag.audio = unread.reduce(.zero) { $0 + duration(of: $1, in: partition) }
        }
        for lane in parkedLanes(group, partition) {
            lag.parkedEntries += Int64(lane.entries)
            lag.parkedBytes += Int64(lane.bytes)
        }
        return lag
    }

    /// How long the audio of an entry is; at 16 kHz if its session is forgotten.
    private func duration(of entry: StreamEntry, in partition: Partition) -> Duration {
        guard let audio = try? AudioEntry(decoding: entry.payload) else { return .zero }
        let rate = partitions[partition]?.sessions[audio.session]?.base.parameters.sampleRate ?? 16_000
        return .microseconds(Int64(audio.sampleCount) * 1_000_000 / Int64(rate))
    }

    /// The capture time of audio, else when it was appended, in Unix µs.
    private static func time(of entry: StreamEntry, _ kind: StreamKind) -> Int64 {
        guard kind == .audio else { return Int64(entry.position.milliseconds) * 1_000 }
        return (try? AudioEntry(decoding: entry.payload))?.captureTime ?? 0
    }
}
