package import EarshotModel
import RedisClient

// What acknowledgements and resumes ask Redis for.
extension AudioAppender {
    /// Asks what an answer of Redis is worth; where it refuses to say so, no more than its memory.
    package func askDurability(completion: @escaping (StoreDurability) -> Void) {
        call(
            RedisCommand("CONFIG", "GET", "appendonly", "appendfsync", "no-appendfsync-on-rewrite").retriable(),
            { reply in reply.array?.compactMap(\.string) }
        ) { (result: Result<[String], HandOffError>) in
            guard case .success(let words) = result else { return completion(.memory) }
            var values: [String: String] = [:]
            for index in stride(from: 0, to: words.count - 1, by: 2) { values[words[index]] = words[index + 1] }
            guard values["appendonly"] == "yes" else { return completion(.memory) }
            switch values["appendfsync"] {
            case "always" where values["no-appendfsync-on-rewrite"] != "yes": completion(.disk)
            // Otherwise `always` is not kept while a child of the server writes a file. Who knows `WAITAOF` (Redis 7.2)
            // is found out by using it.
            case "always", "everysec": self.whenOnDisk { completion($0 == .refused ? .memory : .diskLater) }
            default: completion(.memory)
            }
        }
    }

    /// How a session ended; `nil` for one that is open, or unknown.
    package func askEndReason(
        of session: SessionID, in partition: Partition,
        completion: @escaping (Result<EndReason?, HandOffError>) -> Void
    ) {
        call(
            RedisCommand("HGET", .init(commands.keys.session(session, partition)), "reason").retriable(),
            { reply in .some(EndReason.allCases.first { $0.name == reply.string }) }, completion)
    }

    /// What of a chain of sessions a resume needs to know.
    package struct Link: Sendable {
        package var predecessor: SessionID?
        /// The number with which the session began.
        package var from: UInt64
        /// Capture time behind what was acknowledged of it, in Unix µs.
        package var capture: Int64?
    }

    /// A session's place in its chain; `nil` for one nobody knows.
    package func askLink(
        of session: SessionID, in partition: Partition, completion: @escaping (Result<Link?, HandOffError>) -> Void
    ) {
        call(
            RedisCommand(
                "HMGET", .init(commands.keys.session(session, partition)), "epoch", "predecessor", "from",
                "last_capture"
            ).retriable(),
            { reply -> Link?? in
                guard let values = reply.array, values.count == 4 else { return nil }
                guard values[0].string != nil else { return .some(nil) }
                return Link(
                    predecessor: values[1].string.flatMap { SessionID($0) },
                    from: values[2].string.flatMap { UInt64($0) } ?? 0, capture: values[3].int.map { Int64($0) })
            }, completion)
    }

    /// How far a group is with a session, and whether it is through.
    package func askProgress(
        of session: SessionID, group: WorkerGroup, in partition: Partition,
        completion: @escaping (Result<(next: UInt64?, isDone: Bool), HandOffError>) -> Void
    ) {
        call(
            RedisCommand(
                "HMGET", .init(commands.keys.session(session, partition)), .init("next:\(group)"),
                .init("done:\(group)")
            ).retriable(),
            { reply in
                guard let values = reply.array, values.count == 2 else { return nil }
                return (values[0].string.flatMap { UInt64($0) }, values[1].string == "1")
            }, completion)
    }

    /// Whether an entry still stands in a partition's audio.
    ///
    /// Its payload comes with the answer: that is asked once a session for each connection to Redis.
    package func askEntry(
        at position: StreamPosition, in partition: Partition, completion: @escaping (Result<Bool, HandOffError>) -> Void
    ) {
        let place = RedisArgument(position.description)
        call(
            RedisCommand("XRANGE", .init(commands.keys.audio(partition)), place, place).retriable(),
            { $0.array.map { !$0.isEmpty } }, completion)
    }

    /// The number up to which the server has a session, by what was acknowledged and what workers committed of it;
    /// `nil` for a session it does not know under this epoch.
    package func askReach(
        of session: SessionID, epoch: FencingToken, in partition: Partition,
        completion: @escaping (Result<UInt64?, HandOffError>) -> Void
    ) {
        let groups: [WorkerGroup] = [.transcript, .privateCloud, .audioBytes]
        var arguments: [RedisArgument] = [.init(commands.keys.session(session, partition)), "epoch", "last", "from"]
        arguments += groups.map { .init("next:\($0)") }
        call(
            RedisCommand("HMGET", arguments: arguments).retriable(),
            { reply -> UInt64?? in
                guard let values = reply.array, values.count == 3 + groups.count else { return nil }
                guard values[0].string == epoch.text else { return .some(nil) }
                let last = values[1].string.flatMap { UInt64($0) }.map { $0 + 1 }
                let others = values.dropFirst(2).map { $0.string.flatMap { UInt64($0) } }
                return .some(([last] + others).compactMap(\.self).max() ?? 0)
            }, completion)
    }
}
