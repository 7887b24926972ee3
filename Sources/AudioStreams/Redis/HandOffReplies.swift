import EarshotModel
import NIOCore
import RedisClient

// How the answers of functions and of plain commands become values. Every initialiser gives `nil` for another shape.

extension HandOffError {
    init(_ error: RedisError) {
        switch error.code {
        case .notConnected, .outcomeUnknown, .protocolViolation, .overloaded:
            self.init(.unavailable, error.description)
        case .cancelled: self.init(.cancelled, error.description)
        case .server: self.init(refusal: error.message)
        case .invalidConfiguration: self.init(.refused, error.description)
        }
    }

    /// An error reply; a server that loads, moves or has no writable master is away, not wrong.
    init(refusal text: String) {
        switch text.split(separator: " ", maxSplits: 1).first ?? "" {
        case "OOM": self.init(.outOfMemory, text)
        case "LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN", "READONLY", "MISCONF", "CLUSTERDOWN", "NOREPLICAS", "MOVED",
            "ASK":
            self.init(.unavailable, text)
        default: self.init(.refused, text)
        }
    }
}

extension SessionRegistration.Grant {
    init?(reply: RESPValue) {
        guard let values = reply.array, values.count == 8, let epoch = values[0].string,
            let conversation = values[1].string, let start = values[2].int, let flags = values[4].int,
            let from = values[5].count
        else { return nil }
        self.init(
            epoch: FencingToken(epoch), conversation: conversation, conversationStart: Int64(start),
            continuesConversation: values[3].string == "1", flags: WorkerFlags(rawValue: UInt8(clamping: flags)),
            from: from, isResumed: values[6].string == "1", successor: values[7].string.flatMap { SessionID($0) })
    }
}

extension SessionEnding.Outcome {
    init?(reply: RESPValue) {
        guard let values = reply.array, let word = values.first?.string else { return nil }
        let position = values.count > 1 ? values[1].string.flatMap { StreamPosition($0) } : nil
        switch (word, position) {
        case ("OK", let position?): self = .ended(position)
        case ("ENDED", let position?): self = .alreadyEnded(position)
        case ("FENCED", _): self = .fenced
        case ("GONE", _): self = .unknown
        default: return nil
        }
    }
}

extension Lease.Outcome {
    init?(reply: RESPValue) {
        guard let values = reply.array, let word = values.first?.string else { return nil }
        switch word {
        case "HELD":
            guard values.count == 4, let token = values[1].string, let beat = values[2].int else { return nil }
            self = .held(
                Lease.Sighting(
                    token: FencingToken(token), beat: Int64(beat), owner: values[3].string ?? "", isReleased: false))
        case "GRANTED":
            guard values.count >= 7, let token = values[1].string,
                let mode = values[2].string.flatMap(Lease.Mode.init(rawValue:)),
                let position = values[3].string.flatMap({ StreamPosition($0) }), let read = values[4].int,
                let horizon = values[5].string.flatMap({ StreamPosition($0) }), let parked = values[6].array
            else { return nil }
            var crashes: [String: Int] = [:]
            for index in stride(from: 7, to: values.count - 1, by: 2) {
                if let hand = values[index].string { crashes[hand] = values[index + 1].int }
            }
            self = .granted(
                Lease.Grant(
                    token: FencingToken(token), mode: mode, position: position, entriesRead: Int64(read),
                    horizon: horizon, crashes: crashes,
                    parked: stride(from: 0, to: parked.count - 1, by: 2).compactMap {
                        ParkedLane(session: parked[$0], values: parked[$0 + 1])
                    }))
        default: return nil
        }
    }
}

extension ParkedLane {
    /// A field of the index: `bytes entries first last`.
    fileprivate init?(session: RESPValue, values: RESPValue) {
        guard let id = session.string.flatMap({ SessionID($0) }), let words = values.string?.split(separator: " ")
        else { return nil }
        self.init(id, words)
    }

    fileprivate init?(_ session: SessionID, _ words: [some StringProtocol]) {
        guard words.count == 4, let bytes = Int(words[0]), let entries = Int(words[1]),
            let first = StreamPosition(words[2]), let last = StreamPosition(words[3])
        else { return nil }
        self.init(session: session, bytes: bytes, entries: entries, first: first, last: last)
    }
}

extension ParkedLane.Outcome {
    init?(_ session: SessionID, reply: RESPValue) {
        guard let values = reply.array else { return nil }
        switch values.first?.string {
        case "FENCED": self = .fenced
        case "FULL": self = .full
        case "OK":
            let words = values.dropFirst().compactMap { value in value.string ?? value.int.map(String.init) }
            guard let lane = ParkedLane(session, words) else { return nil }
            self = .parked(lane)
        default: return nil
        }
    }
}

extension StreamEntry {
    /// `[id, [field, value, …]]`; an entry whose fields were deleted has no payload and is skipped by callers.
    init?(reply: RESPValue) {
        guard let values = reply.array, values.count == 2,
            let position = values[0].string.flatMap({ StreamPosition($0) }), let fields = values[1].array,
            fields.count >= 2, let payload = fields[1].bytes
        else { return nil }
        self.init(position: position, payload: payload)
    }
}

extension RegisteredSession {
    static func fields(_ group: WorkerGroup) -> [String] {
        [
            "uid", "epoch", "gateway", "conversation", "conversation_start", "started", "codec", "rate", "language",
            "source", "flags", "timeout", "end", "reason", "completed", "next:\(group)", "ordinal:\(group)",
            "written:\(group)", "state:\(group)", "done:\(group)", "predecessor", "successor", "first", "from", "last",
            "last_capture", "before",
        ]
    }

    init?(_ id: SessionID, values: [RESPValue]) {
        guard values.count == 27, let user = values[0].string.flatMap({ UserID($0) }), let epoch = values[1].string,
            let gateway = values[2].string.flatMap({ Incarnation($0) }), let conversation = values[3].string,
            let conversationStart = values[4].int, let started = values[5].int,
            let codec = values[6].string.flatMap(AudioCodec.init(rawValue:)), let rate = values[7].int
        else { return nil }
        let source = values[9].string ?? ""
        let reason = values[13].string
        self.init(
            session: id, user: user, epoch: FencingToken(epoch), gateway: gateway, conversation: conversation,
            conversationStart: Int64(conversationStart), startedAt: Int64(started),
            parameters: SessionParameters(
                codec: codec, sampleRate: rate, language: values[8].string ?? "en",
                conversationTimeout: values[11].int ?? 120, source: source.isEmpty ? nil : source,
                flags: WorkerFlags(rawValue: UInt8(clamping: values[10].int ?? 0))),
            end: values[12].string.flatMap { StreamPosition($0) },
            endReason: EndReason.allCases.first { $0.name == reason }, isCompleted: values[14].string == "1",
            progress: LaneProgress(
                next: values[15].count ?? 0, ordinal: values[16].count ?? 0, events: values[17].count ?? 0,
                state: values[18].bytes.map { Array($0.readableBytesView) } ?? [],
                isDone: values[19].string == "1"),
            predecessor: values[20].string.flatMap { SessionID($0) },
            successor: values[21].string.flatMap { SessionID($0) },
            before: values[26].string.flatMap { SessionID($0) }, first: values[22].count ?? 0,
            from: values[23].count ?? 0, last: values[24].count, lastCapture: values[25].int.map { Int64($0) })
    }
}

extension RESPValue {
    /// A decimal number of the whole range of `UInt64`, which `int` does not reach.
    fileprivate var count: UInt64? { string.flatMap { UInt64($0) } }
}

extension GroupLag {
    init?(of stream: StreamKind, in partition: Partition, reply: RESPValue) {
        let values = reply.array?.compactMap(\.int) ?? []
        guard values.count == 6 else { return nil }
        self.init(
            partition: partition, entries: values[1] < 0 ? nil : Int64(values[1]), length: Int64(values[0]),
            span: .microseconds(values[2]), audio: stream == .audio ? .microseconds(values[5]) : nil)
        parkedEntries = Int64(values[3])
        parkedBytes = Int64(values[4])
    }
}

extension ConversationSettlement {
    init?(reply: RESPValue) {
        switch reply.string {
        case "OPEN": self = .open
        case "WAIT": self = .waiting
        case "DONE": self = .alreadyCompleted
        case "OK": self = .completed
        case "FENCED": self = .fenced
        case let times?:
            guard let times = UInt64(times) else { return nil }
            self = .completedBefore(times: times)
        case nil: return nil
        }
    }
}
